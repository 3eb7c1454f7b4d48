/**
 * Bugs as they are made, planted one at a time into the built package: each has to be caught by the
 * crash campaign it names. `find` is text of the compiled file, compared without regard to white space.
 */

export interface PlantedBug {
  readonly name: string;
  /** The faults it is an example of. */
  readonly faults: string;
  readonly campaign: 'log' | 'store' | 'damage';
  /** Where the campaign begins, if what it needs is rare. Default 1. */
  readonly seed?: number;
  readonly changes: readonly Change[];
}

interface Change {
  /** Below dist. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

export const PLANTED_BUGS: readonly PlantedBug[] = [
  {
    name: 'the directory is not synced after a segment got its name',
    faults: 'F-6',
    campaign: 'log',
    changes: [
      {
        file: 'wal/prepare-segment.js',
        find: 'isNamed = true; await fileIo.syncDirectory(directory);',
        replace: 'isNamed = true;',
      },
    ],
  },
  {
    name: 'the directory is not synced after the manifest got its name',
    faults: 'F-6',
    campaign: 'log',
    changes: [
      {
        file: 'wal/manifest.js',
        find: 'await fileIo.rename(path, join(directory, MANIFEST_NAME)); await fileIo.syncDirectory(directory);',
        replace: 'await fileIo.rename(path, join(directory, MANIFEST_NAME));',
      },
    ],
  },
  {
    name: 'the name of the directory itself is never synced',
    faults: 'F-6',
    campaign: 'log',
    changes: [
      {
        file: 'wal/create-log.js',
        find: 'await fileIo.makeDirectory(path); await fileIo.syncDirectory(dirname(path));',
        replace: 'await fileIo.makeDirectory(path);',
      },
      {
        file: 'wal/create-log.js',
        find: 'await syncAncestors(fileIo, directory, options.logger);',
        replace: '',
      },
    ],
  },
  {
    name: 'a segment gets its name before its content is synced',
    faults: 'F-7 F-9',
    campaign: 'log',
    changes: [
      {
        file: 'wal/prepare-segment.js',
        find: 'await writeAll(handle, header, 0, SEGMENT_HEADER.size, 0); await handle.sync();',
        replace: 'await writeAll(handle, header, 0, SEGMENT_HEADER.size, 0);',
      },
    ],
  },
  {
    name: 'the manifest gets its name before its content is synced',
    faults: 'F-7',
    campaign: 'log',
    changes: [
      {
        file: 'wal/manifest.js',
        find: 'await writeAll(handle, bytes, 0, bytes.length, 0); await handle.sync();',
        replace: 'await writeAll(handle, bytes, 0, bytes.length, 0);',
      },
    ],
  },
  {
    name: "a commit at 'always' is acknowledged before the sync",
    faults: 'F-2',
    campaign: 'log',
    changes: [
      { file: 'wal/prepare-segment.js', find: "'update-synced'", replace: "'update'" },
      {
        file: 'wal/disk-writer.js',
        find: 'this.segment.plain.datasync(this.onWritten);',
        replace: 'this.onWritten(null);',
      },
    ],
  },
  {
    name: 'a durable write below always is acknowledged with the others',
    faults: 'F-2 F-43',
    campaign: 'store',
    changes: [
      {
        file: 'src/engine/pipeline.js',
        find: '!ticket.mustSync || offset <= this.log.durableOffset',
        replace: 'true',
      },
    ],
  },
  {
    name: 'a failed sync is tried again',
    faults: 'F-32',
    campaign: 'log',
    changes: [
      {
        file: 'wal/frame-pump.js',
        find: "return this.fail(error, 'sync');",
        replace: 'return this.syncs.now();',
      },
    ],
  },
  {
    name: 'a write that failed half way is reported as not done',
    faults: 'F-33 F-44',
    campaign: 'store',
    changes: [
      {
        file: 'wal/frame-pump.js',
        find: "const unknown = ioError(cause, what, appender.segment?.path ?? '', 'unknown');",
        replace: "const unknown = ioError(cause, what, appender.segment?.path ?? '', 'not-done');",
      },
    ],
  },
  {
    name: 'what waited for a full disk is still seen by the commands after it',
    faults: 'F-36 F-44',
    campaign: 'store',
    seed: 2,
    changes: [
      {
        file: 'src/engine/pipeline.js',
        find: 'this.overlay.giveBack(); this.overlay.drop();',
        replace: 'this.overlay.giveBack();',
      },
    ],
  },
  {
    name: 'the checksum of the payload is not looked at',
    faults: 'F-20',
    campaign: 'damage',
    changes: [
      {
        file: 'wal/frame.js',
        find: 'crc32c(bytes, at + FRAME.size, at + this.frameBytes, seed) === this.payloadCrc',
        replace: 'true',
      },
    ],
  },
  {
    name: 'the checksum covers the payload only',
    faults: 'F-20 F-23',
    campaign: 'damage',
    changes: [
      {
        file: 'wal/frame.js',
        find: 'if (crc32c(bytes, at + FRAME.magic, at + FRAME.size, seed) !== this.crc) return false;',
        replace: '',
      },
    ],
  },
  {
    name: 'a damaged frame is always taken for a torn tail',
    faults: 'F-22',
    campaign: 'damage',
    changes: [
      {
        file: 'wal/scan-pass.js',
        find: 'if (!isBehind(attests, here) && !isBehind(this.manifest.state.attested, here)) {',
        replace: 'if (attests !== undefined) {',
      },
    ],
  },
  {
    name: 'checksums say nothing of store and segment, and the place of a frame is not checked',
    faults: 'F-24',
    campaign: 'damage',
    changes: [
      {
        file: 'wal/frame.js',
        find: 'return crc32c(bytes, 0, bytes.length);',
        replace: 'return bytes.length - 20;',
      },
      {
        file: 'wal/segment-reader.js',
        find: 'const belongs = header.chain === this.chain && header.firstOffset === this.nextOffset;',
        replace: 'const belongs = true;',
      },
    ],
  },
  {
    name: 'a doubtful tail is served without being made sure of',
    faults: 'F-15',
    campaign: 'log',
    changes: [
      {
        file: 'wal/rewrite-tail.js',
        find: 'await this.flush(); await datasync(this.segment.plain);',
        replace: 'await this.flush();',
      },
      {
        file: 'wal/rewrite-tail.js',
        find: 'await writeAll(this.segment.plain, bytes, start, length, at); await datasync(this.segment.plain);',
        replace: 'await writeAll(this.segment.plain, bytes, start, length, at);',
      },
    ],
  },
  {
    name: 'a segment is left behind before it is synced',
    faults: 'F-9',
    campaign: 'log',
    changes: [
      {
        file: 'wal/frame-pump.js',
        find: 'if (!appender.isSynced) { this.syncs.now(); return false; }',
        replace: '',
      },
      {
        file: 'wal/appender.js',
        find: "invariant(this.isSynced, 'a segment is linked only after everything before it was synced');",
        replace: '',
      },
    ],
  },
  {
    name: 'the manifest slot in force is the one that is written',
    faults: 'F-28',
    campaign: 'log',
    changes: [
      {
        file: 'wal/manifest.js',
        find: 'const slot = (this.slot + 1) % MANIFEST_SLOTS;',
        replace: 'const slot = this.slot;',
      },
    ],
  },
  {
    name: 'a manifest slot that only the cache has is taken for safe',
    faults: 'F-13 F-28',
    campaign: 'log',
    // From seed 1 it takes 40,000 states: two processes, and a write torn in each slot.
    seed: 3069745948,
    changes: [
      {
        file: 'wal/manifest.js',
        find: 'await this.makeSure(); const slot',
        replace: 'const slot',
      },
    ],
  },
  {
    name: 'files are removed before what replaces them is synced',
    faults: 'F-11 F-15',
    campaign: 'log',
    changes: [
      {
        file: 'wal/open-writer.js',
        find: 'await rewriteTail(',
        replace: 'roll.noteSynced(); await rewriteTail(',
      },
    ],
  },
  {
    name: 'closing does not sync',
    faults: 'F-17',
    campaign: 'log',
    changes: [
      {
        file: 'wal/close-writer.js',
        find: 'if (segment !== undefined && !appender.isSynced) await syncRest(appender, segment);',
        replace: 'if (segment !== undefined) appender.noteSynced(appender.capture());',
      },
    ],
  },
  {
    name: 'a segment prepared and never used must still be there after it was removed',
    faults: 'F-9 F-17',
    campaign: 'log',
    changes: [
      {
        file: 'wal/close-writer.js',
        find: 'if (state.highestSegment > highest) change.highestSegment = highest;',
        replace: '',
      },
    ],
  },
  {
    name: 'an idempotency key is forgotten when its event is replayed',
    faults: 'F-0a',
    campaign: 'store',
    changes: [
      {
        file: 'src/state/fold.js',
        find: 'if (record.has(FIELD.key)) this.results.keepTransition(record, definition, offset);',
        replace: '',
      },
    ],
  },
  {
    name: 'a deleted instance stays counted',
    faults: 'TST-4',
    campaign: 'store',
    changes: [
      {
        file: 'src/state/fold.js',
        find: 'definition.population[from] = definition.population[from] - 1; this.state.indexes.leaving(',
        replace: 'this.state.indexes.leaving(',
      },
    ],
  },
  {
    name: 'times follow a clock that goes back',
    faults: 'F-50',
    campaign: 'store',
    changes: [
      {
        file: 'src/state/fold.js',
        find: `if (record.at > segment.f64[updatedAt]) segment.f64[updatedAt] = record.at;
          segment.f64[i * ROW.f64 + ROW.offset] = offset; if (record.bodyStart`,
        replace: `segment.f64[updatedAt] = record.at;
          segment.f64[i * ROW.f64 + ROW.offset] = offset; if (record.bodyStart`,
      },
      {
        file: 'src/engine/decide/commands.js',
        find: 'Math.max(notes.at ?? now, this.target.updatedAt)',
        replace: 'Math.floor(notes.at ?? now)',
      },
    ],
  },
  {
    name: 'a snapshot counts before it was read back',
    faults: 'F-12',
    campaign: 'store',
    changes: [
      {
        file: 'src/snapshot/write-snapshot.js',
        find: 'await readBack(path, written, options);',
        replace: '',
      },
    ],
  },
  {
    name: 'log is dropped before the manifest names the snapshot that covers it',
    faults: 'F-11 F-12',
    campaign: 'store',
    // One snapshot is kept: with two the older one covers for it.
    seed: 7,
    changes: [
      {
        file: 'src/engine/snapshots/published.js',
        find: 'await this.name([...others, made].slice(-this.parts.settings.keep));',
        replace: `const entries = [...others, made].slice(-this.parts.settings.keep);
          this.entries = entries; await this.retainByItself(); await this.name(entries);`,
      },
    ],
  },
  {
    name: 'old snapshots are removed while the manifest still names them',
    faults: 'F-11 F-12',
    campaign: 'store',
    changes: [
      {
        file: 'src/engine/snapshots/published.js',
        find: 'try { await log.setManifestExtra(',
        replace:
          'this.entries = entries; await this.removeUnnamed(); try { await log.setManifestExtra(',
      },
    ],
  },
  {
    name: 'one slot of the manifest goes on naming a snapshot that was removed',
    faults: 'F-28',
    campaign: 'store',
    // The same; and the damage has to meet the slot in force.
    seed: 3,
    changes: [
      {
        file: 'src/engine/snapshots/published.js',
        find: 'encodeCatalogue(entries), { both: true }',
        replace: 'encodeCatalogue(entries)',
      },
    ],
  },
  {
    name: 'a snapshot that was being written is never removed',
    faults: 'F-10 F-13',
    campaign: 'store',
    changes: [
      {
        file: 'src/engine/snapshots/published.js',
        find: 'if (isUnfinishedSnapshot(name)) return true;',
        replace: 'if (isUnfinishedSnapshot(name)) return false;',
      },
    ],
  },
  {
    name: 'the first record behind a snapshot is skipped',
    faults: 'F-0a',
    campaign: 'store',
    changes: [
      {
        file: 'src/engine/pipeline.js',
        find: 'if (cursor.offset > this.state.offset) this.fold.apply(bytes, cursor.start, cursor.end, cursor.offset);',
        replace: `if (cursor.offset <= this.state.offset) continue;
          if (this.hasBegun !== true && this.state.offset > 0) this.state.offset = cursor.offset;
          else this.fold.apply(bytes, cursor.start, cursor.end, cursor.offset);
          this.hasBegun = true;`,
      },
    ],
  },
  {
    name: 'a snapshot forgets which instances are deleted',
    faults: 'TST-4',
    campaign: 'store',
    changes: [
      {
        file: 'src/snapshot/load-state.js',
        find: 'instances.restoreDeleted(deleted.handles, deleted.times, deleted.offsets);',
        replace: '',
      },
    ],
  },
  {
    name: 'a snapshot forgets idempotency keys',
    faults: 'F-0a',
    campaign: 'store',
    changes: [
      {
        file: 'src/snapshot/load-state.js',
        find: 'if (!keys.keys.restore(header.hashKey, this.keyBuckets)) return false;',
        replace: '',
      },
      {
        file: 'src/snapshot/load-state.js',
        find: '&& keys.keys.size === header.keys',
        replace: '',
      },
    ],
  },
  {
    name: 'a snapshot forgets how often a free handle was used',
    faults: 'TST-4',
    campaign: 'store',
    // A handle has to be purged and given again, with a snapshot between.
    seed: 116,
    changes: [
      {
        file: 'src/snapshot/row-chunk-reader.js',
        find: 'u16[i * ROW.u16 + ROW.flags] = bits; if ((bits & ROW_FLAG.live) === 0) continue;',
        replace: 'if ((bits & ROW_FLAG.live) === 0) continue; u16[i * ROW.u16 + ROW.flags] = bits;',
      },
    ],
  },
  {
    name: 'an index believes a snapshot about rows that were changed since',
    faults: 'TST-4',
    campaign: 'store',
    changes: [
      {
        file: 'src/indexes/seeded-rows.js',
        find: 'const isChanged = f64[row * ROW.f64 + ROW.offset] > offset;',
        replace: 'const isChanged = false;',
      },
    ],
  },
  {
    name: 'asOf at an offset shows one commit less',
    faults: 'TST-4',
    campaign: 'store',
    changes: [
      {
        file: 'src/engine/time-travel/fold-until.js',
        find: 'lastOffset <= through) return lastOffset;',
        replace: 'lastOffset < through) return lastOffset;',
      },
      {
        file: 'src/engine/time-travel/fold-until.js',
        find: 'isLater || cursor.offset > through;',
        replace: 'isLater || cursor.offset >= through;',
      },
    ],
  },
  {
    name: 'asOf at a time shows a snapshot that has later commits',
    faults: 'F-50',
    campaign: 'store',
    changes: [
      {
        file: 'src/engine/time-travel/state-at.js',
        find: 'if (snapshot.maxTime <= bounds.time)',
        replace: 'if (snapshot.time <= bounds.time)',
      },
    ],
  },
  {
    name: 'a deleted instance stays in the list of its state',
    faults: 'TST-4',
    campaign: 'store',
    changes: [
      {
        file: 'src/state/fold.js',
        find: 'this.state.indexes.leaving(handle, definition, from);',
        replace: '',
      },
    ],
  },
  {
    name: 'an index of a path is not told of a payload',
    faults: 'TST-4',
    campaign: 'store',
    changes: [
      {
        file: 'src/indexes/indexes.js',
        find: 'this.byDefinition[definition.index]?.merged(handle, payload, start);',
        replace: ';',
      },
    ],
  },
  {
    name: 'an index of a path is not told of a migration',
    faults: 'TST-4',
    campaign: 'store',
    seed: 2,
    changes: [
      { file: 'src/state/fold.js', find: 'indexes.replaced(handle, after, state);', replace: '' },
    ],
  },
];
