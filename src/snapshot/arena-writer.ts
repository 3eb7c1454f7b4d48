/**
 * Puts entries into arenas, one behind the other by the rule of arena-packer.ts, and each full arena
 * into the sink as a chunk of its own.
 */
import { StoreError } from '../base/errors.ts';
import { ARENA_BYTES, MAX_SLABS } from '../base/slab-heap.ts';
import { ArenaPacker } from './arena-packer.ts';
import type { ChunkSink } from './chunk-sink.ts';
import type { ChunkKind } from './format.ts';

/** Of ids and of contexts each: a heap that was loaded from them must have slabs left for what is written later. */
const MAX_ARENAS: number = Math.floor((MAX_SLABS * 3) / 8);

export class ArenaWriter {
  private readonly sink: ChunkSink;
  private readonly kind: ChunkKind;
  readonly packer: ArenaPacker = new ArenaPacker();
  /** The arena that is being filled, up to `end`. */
  private readonly bytes: Buffer = Buffer.alloc(ARENA_BYTES);
  private arena = 0;
  private used = 0;
  private entries = 0;

  constructor(sink: ChunkSink, kind: ChunkKind) {
    this.sink = sink;
    this.kind = kind;
  }

  /** An entry without bytes takes no place. */
  add(from: Uint8Array, start: number, end: number): void {
    const length = end - start;
    if (length === 0) return;
    const { packer } = this;
    packer.place(length);
    if (packer.arena !== this.arena) {
      if (packer.arena >= MAX_ARENAS) throw tooLarge();
      this.flush();
      this.arena = packer.arena;
    }
    if (length > ARENA_BYTES) {
      this.sink.add(this.kind, 1, from, start, end);
      return;
    }
    const { bytes } = this;
    for (let at = this.used; at < packer.start; at++) bytes[at] = 0;
    if (length <= 96) {
      for (let i = start, to = packer.start; i < end; i++, to++) bytes[to] = from[i] as number;
    } else bytes.set(from.subarray(start, end), packer.start);
    this.used = packer.end;
    this.entries++;
  }

  end(): void {
    this.flush();
  }

  private flush(): void {
    if (this.used > 0) this.sink.add(this.kind, this.entries, this.bytes, 0, this.used);
    this.used = 0;
    this.entries = 0;
  }
}

/** Such a state opens from its log alone, which therefore stays. */
function tooLarge(): StoreError {
  const message = `contexts take more than ${MAX_ARENAS} blocks of ${ARENA_BYTES} bytes (larger ones a block each): a snapshot of them could not be opened; the log stays`;
  return new StoreError('UNSUPPORTED', message, { details: { limit: MAX_ARENAS } });
}
