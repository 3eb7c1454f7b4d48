/** Collections inside a transaction: the same commands, synchronous, in the group that is open. */
import type {
  DeletedVectors,
  TransactionCollection,
  VectorEntry,
  VectorInput,
} from '../api/collection.ts';
import type { Pipeline } from '../pipeline.ts';
import { asRefusal, checkName, checkObject } from '../write-options.ts';
import type { VectorCommands } from './commands.ts';
import { checkEntries, checkIds, checkMetadata } from './entry-input.ts';
import { checkMode } from './writes.ts';
import { badRequest } from '../../base/errors.ts';

/** What the transaction does around each of its calls. */
export interface TransactionFrame {
  /** @throws {StoreError} STORE_CLOSED - the transaction is over */
  readonly admit: () => void;
  /** Runs one write, which finds the annotations of the transaction set; an error says which one it was. */
  readonly write: <T>(run: () => T) => T;
  /** Something failed after records were logged: the transaction can only be taken back. */
  readonly doom: (error: unknown) => void;
}

export function transactionCollection(
  pipeline: Pipeline,
  commands: VectorCommands,
  frame: TransactionFrame,
  given: string,
): TransactionCollection {
  const place = { name: checkName(given, 'name'), scope: undefined };
  const { records } = pipeline;
  /** Reads the arguments, checks, and logs; a failure on the way cannot be undone alone. */
  const write = <A, T>(read: () => A, check: (args: A) => void, log: (args: A) => T): T =>
    frame.write(() => {
      const args = reading(pipeline, read);
      check(args);
      try {
        return log(args);
      } catch (error) {
        frame.doom(error);
        throw error;
      }
    });
  const put = (entries: readonly VectorInput[], isUpsert: boolean): void => {
    write(
      () => checkEntries(entries, pipeline.now, undefined),
      (checked) => commands.checkPut(place, checked, isUpsert),
      (checked) => commands.logPut(place, checked),
    );
  };
  return {
    get: (id: string): VectorEntry | undefined => {
      records.admitNested();
      frame.admit();
      if (typeof id !== 'string') throw badRequest('id must be a string', 'id', 'string');
      return commands.get(place, id);
    },
    insert: (entries) => put(entries, false),
    upsert: (entries) => put(entries, true),
    updateMetadata: (id, metadata, options) =>
      write(
        () => {
          checkName(id, 'id');
          return { bytes: checkMetadata(metadata, 'metadata'), replaces: modeOf(options) };
        },
        ({ bytes, replaces }) => commands.checkMetadata(place, id, bytes, replaces),
        ({ bytes, replaces }) => commands.logMetadata(place, id, bytes, replaces),
      ),
    delete: (ids): DeletedVectors =>
      write(
        () => checkIds(ids),
        () => void commands.collection(place.name),
        (checked) => commands.logDelete(place, checked),
      ),
  };
}

/** The rest belongs to the whole transaction. @throws {StoreError} BAD_REQUEST */
function modeOf(options: { readonly mode?: unknown } | undefined): boolean {
  for (const name in checkObject(options, 'options')) {
    if (name !== 'mode')
      throw badRequest(`there is no option ${JSON.stringify(name)} inside a transaction`, name);
  }
  return checkMode(options?.mode);
}

function reading<T>({ records }: Pipeline, read: () => T): T {
  records.startReading();
  try {
    return read();
  } catch (error) {
    throw asRefusal(error, 'arguments');
  } finally {
    records.endReading();
  }
}
