/** Public types of looking at a store as it was. */
import type { Instance, Offset } from './instance.ts';
import type { InstanceReads } from './machine.ts';

/**
 * A point of the past. An offset is rounded down to the end of a commit: half of one is never
 * shown. A time, in milliseconds since the epoch by the writer's clock, is before the first commit whose time is later.
 */
export type Moment = { readonly offset: Offset } | { readonly time: number };

/** A store as it was: nothing in it changes any more. It takes the memory of a store of its own until it is closed. */
export interface View extends AsyncDisposable {
  /** Of the last record it shows. */
  readonly offset: Offset;
  /** Deleted instances until the log says that they are purged, whatever the clock says today. */
  readonly instances: Pick<InstanceReads, 'get' | 'find' | 'iterate' | 'count'>;
  close(): Promise<void>;
}

/** One instance that is not the same at two moments. */
export type Difference =
  | { readonly kind: 'added'; readonly id: string; readonly after: Instance }
  | { readonly kind: 'removed'; readonly id: string; readonly before: Instance }
  | {
      readonly kind: 'changed';
      readonly id: string;
      readonly before: Instance;
      readonly after: Instance;
      /**
       * What is not the same: 'machine', 'version', 'state', 'createdAt', 'lastEventId', and dotted
       * places in the context ('context.total'; a list counts as one value). Never empty.
       */
      readonly paths: readonly string[];
    };
