/** Contexts of new instances share chunks in the overlay: none may change under an instance that still waits. */
import { expect, test } from 'vitest';
import { ByteWriter } from '../../../src/base/bytes.ts';
import type { Definition } from '../../../src/instance/machine-store.ts';
import { Overlay } from '../../../src/state/overlay.ts';
import { State } from '../../../src/state/state.ts';
import { writeContext } from '../../../src/value/write-value.ts';

test('the context of an instance that waits stays as it was while others come and go', () => {
  const state = new State(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8));
  const overlay = new Overlay(state);
  const definition = { compiled: { initial: 0 } } as unknown as Definition;
  const waiting = new Map<string, { hash: number; context: Buffer }>();
  let offset = 0;
  const add = (handle: number): void => {
    const id = `id-${handle}`;
    const body = new ByteWriter(64);
    writeContext(body, { handle, text: 'x'.repeat(handle % 90) }, 'context');
    state.instances.rows.ensure(handle);
    expect(state.instances.ids.look(id)).toBe(true);
    const hash = state.instances.ids.lookedHash;
    overlay.add(handle, id, hash, definition, 1, ++offset, body);
    waiting.set(id, { hash, context: Buffer.from(body.bytes.subarray(0, body.position)) });
  };
  const check = (): void => {
    for (const [id, { hash, context }] of waiting) {
      const pending = overlay.pendingNew(hash, id);
      if (pending === undefined) throw new Error(`${id} waits`);
      const { whole, wholeStart, wholeEnd } = pending;
      expect(context.equals(whole.subarray(wholeStart, wholeEnd)), id).toBe(true);
    }
    expect(overlay.size).toBe(waiting.size);
  };
  for (let handle = 0; handle < 2000; handle++) {
    add(handle);
    if (handle % 3 === 0) continue;
    overlay.applied(handle - 1, offset);
    waiting.delete(`id-${handle - 1}`);
    if (handle % 100 === 1) check();
  }
  check();
});
