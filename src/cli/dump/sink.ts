/** Where dumped records go: lines of a table, one JSON list, or JSON lines. Written in large pieces. */
import { toJson } from '../../value/json.ts';
import type { Context } from '../output.ts';
import type { Output } from '../shell.ts';
import { painter } from '../text.ts';
import type { DumpedRecord } from './decode.ts';
import { DumpTable } from './rows.ts';

export interface DumpSink {
  add(record: DumpedRecord): void;
  end(): void;
}

/** Characters that are collected before they are written. */
const CHUNK = 65_536;

export function openSink(context: Context): DumpSink {
  const { out } = context.shell;
  const pieces = new Pieces(out);
  if (context.format === 'json') return listSink(pieces);
  if (context.format === 'ndjson') {
    return {
      add: (record) => pieces.add(`${toJson(record)}\n`),
      end: () => pieces.flush(),
    };
  }
  const table = new DumpTable((line) => pieces.add(`${line}\n`), painter(out), out.columns);
  return {
    add: (record) => table.add(record),
    end() {
      table.end();
      pieces.flush();
    },
  };
}

/** One list, a record a line: whole when the dump ends, however it ends. */
function listSink(pieces: Pieces): DumpSink {
  let before = '[\n';
  return {
    add(record) {
      pieces.add(`${before}${toJson(record)}`);
      before = ',\n';
    },
    end() {
      pieces.add(before === '[\n' ? '[]\n' : '\n]\n');
      pieces.flush();
    },
  };
}

class Pieces {
  private readonly out: Output;
  private text = '';

  constructor(out: Output) {
    this.out = out;
  }

  add(piece: string): void {
    this.text += piece;
    if (this.text.length >= CHUNK) this.flush();
  }

  flush(): void {
    if (this.text !== '') this.out.write(this.text);
    this.text = '';
  }
}
