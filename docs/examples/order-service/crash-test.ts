/**
 * Crash tests of the order service: the workload takes orders and delivers messages, the oracle
 * holds what a crash left against what the world was told. The right service passes; the hasty
 * one is caught. Run it with `npm run example:crash`.
 */
import { pathToFileURL } from 'node:url';
import type { Store } from 'pawl';
import { checkCrashes, type CrashCheckReport, type Found, type World } from 'pawl/testing';
import { openHastyService } from './hasty-service.ts';
import { MESSAGE, messageId, ORDER } from './machines.ts';
import { openService, type OrderService, type Outside } from './service.ts';

/** Something the world was told. */
interface Told {
  readonly what: 'confirmed' | 'mailed';
  readonly order: string;
}

type Open = (store: Store, outside: Outside) => Promise<OrderService>;

const CUSTOMERS = ['ada', 'grace', 'edsger'];
/** Of every life: the first six orders again, and two more. */
const ORDERS = 6;

/** Starts the service as it starts after a crash: delivers what waits, then takes orders. */
async function work(open: Open, world: World<Told>): Promise<void> {
  const store = await world.open();
  const service = await open(store, {
    confirm: (order) => world.tell({ what: 'confirmed', order }),
    mail: (order) => world.tell({ what: 'mailed', order }),
  });
  await service.deliver();
  const orders = Array.from({ length: ORDERS + world.life * 2 }, (_, i) => `order-${i}`);
  for (const order of orders) {
    const customer = CUSTOMERS[order.length % CUSTOMERS.length] ?? 'ada';
    await service.place(order, customer, 10 + order.length);
    if (world.random.next() < 0.4) await service.deliver();
  }
  await service.deliver();
}

/** The promises of the service. */
async function judge({ open, told }: Found<Told>): Promise<void> {
  const store = await open();
  const orders = await store.machine(ORDER);
  const messages = await store.machine(MESSAGE);
  for (const { what, order } of told) {
    if (orders.get(order) === undefined) throw new Error(`${order} was ${what}, and is lost`);
  }
  for (const { id } of orders.iterate()) {
    if (messages.get(messageId(id)) === undefined) throw new Error(`${id} has no message`);
  }
  const mailed = new Set(told.filter(({ what }) => what === 'mailed').map(({ order }) => order));
  for (const { context } of messages.iterate({ state: 'sent' })) {
    if (!mailed.has(context.order)) throw new Error(`${context.order} is marked sent, and was not`);
  }
}

/** Crashes the service wherever a crash may leave something else. @throws when it breaks a promise */
export function crashService(open: Open, runs: number, seed: number): Promise<CrashCheckReport> {
  return checkCrashes<Told>({ workload: (world) => work(open, world), oracle: judge, runs, seed });
}

async function main(): Promise<void> {
  const { runs, kills, cuts, durationMs } = await crashService(openService, 2000, 1);
  const took = `${(durationMs / 1000).toFixed(1)} s`;
  console.log(
    `The order service kept its promises in ${runs} crashes (${kills} kills, ${cuts} power cuts; ${took}).`,
  );
  console.log('\nNow the one that tells the customer before the commit:\n');
  try {
    await crashService(openHastyService, 2000, 1);
  } catch (error) {
    console.log((error as Error).message);
    return;
  }
  throw new Error('the planted bug was not caught');
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main();
