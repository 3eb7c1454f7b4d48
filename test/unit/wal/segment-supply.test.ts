/** Keeping the next segment ready: what is begun, what is not, and what a failure leaves to be done. */
import { describe, expect, it } from 'vitest';
import { silentLogger } from '../../../src/base/logger.ts';
import type { Segment } from '../../../wal/prepare-segment.ts';
import { SegmentSupply } from '../../../wal/segment-supply.ts';
import { ManualThread, turns } from './log-driver.ts';
import { osError } from './sim-fixture.ts';

class Workshop {
  readonly thread = new ManualThread();
  readonly begun: (readonly [number, number])[] = [];
  readonly closed: number[] = [];
  changes = 0;
  failure: Error | undefined;
  readonly supply = new SegmentSupply({
    thread: this.thread,
    logger: silentLogger,
    onChange: () => this.changes++,
    prepare: async (number, sizeBytes) => {
      this.begun.push([number, sizeBytes]);
      if (this.failure !== undefined) throw this.failure;
      const close = async (): Promise<void> => void this.closed.push(number);
      const plain = { close } as unknown as Segment['plain'];
      return { number, path: '', sizeBytes, seed: 0, synced: undefined, plain };
    },
  });
}

describe('a supply of segments', () => {
  it('prepares what is wanted once, and a larger one in the place of one too small', async () => {
    const { supply, begun, closed } = new Workshop();
    supply.want(3, 4096);
    supply.want(3, 4096);
    await turns();
    expect(begun).toEqual([[3, 4096]]);
    supply.want(3, 4096);
    supply.want(3, 1000);
    await turns();
    expect([begun.length, supply.ready?.sizeBytes]).toEqual([1, 4096]);
    supply.want(3, 8192);
    await turns();
    expect([begun.at(-1), closed, supply.ready?.sizeBytes]).toEqual([[3, 8192], [3], 8192]);
  });

  it('wanted larger while it is being prepared is prepared again, larger', async () => {
    const { supply, begun } = new Workshop();
    supply.want(3, 4096);
    supply.want(3, 12_288);
    supply.want(3, 8192);
    await turns();
    expect([begun.at(-1), supply.ready?.sizeBytes]).toEqual([[3, 12_288], 12_288]);
  });

  it('F-36 tries again after a while, as long as it is not stopped', async () => {
    const shop = new Workshop();
    const { supply, begun, thread } = shop;
    shop.failure = osError('ENOSPC');
    supply.want(2, 4096);
    await turns();
    expect([begun.length, supply.failure?.details]).toMatchObject([1, { errno: 'ENOSPC' }]);
    supply.want(2, 4096);
    await turns();
    expect(begun).toHaveLength(1);
    thread.fire();
    await turns();
    expect(begun).toHaveLength(2);
    shop.failure = undefined;
    thread.fire();
    await turns();
    expect([supply.ready?.number, supply.failure, shop.changes]).toEqual([2, undefined, 3]);
  });

  it('begins nothing once it is stopped; what is ready stays ready', async () => {
    const { supply, begun, thread } = new Workshop();
    supply.want(2, 4096);
    await turns();
    await supply.stop();
    supply.want(3, 4096);
    thread.fire();
    await turns();
    expect([begun.length, supply.ready?.number]).toEqual([1, 2]);
  });

  it('F-36 that is stopped while an attempt fails makes no other', async () => {
    const shop = new Workshop();
    shop.failure = osError('ENOSPC');
    shop.supply.want(2, 4096);
    await shop.supply.stop();
    shop.thread.fire();
    await turns();
    expect(shop.begun).toHaveLength(1);
  });
});
