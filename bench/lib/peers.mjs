/**
 * The peers of every comparison, in the order of the table's columns.
 */
import { LevelPeer } from './peers/leveldb.mjs';
import { LmdbPeer } from './peers/lmdb.mjs';
import { SqlitePeer } from './peers/sqlite.mjs';

export const PEERS = [SqlitePeer, LevelPeer, LmdbPeer];
