/**
 * The disk itself: synced writes one after the other into a zero-filled file. What no store on this
 * machine can beat with one caller.
 */
import fs from 'node:fs';
import path from 'node:path';

const MiB = 1024 * 1024;
const FILE_BYTES = 16 * MiB;

export class RawDisk {
  name = 'raw';

  /** @param {string} directory */
  constructor(directory) {
    this.file = path.join(directory, 'raw-disk');
    const zeros = Buffer.alloc(MiB);
    const plain = fs.openSync(this.file, 'w');
    for (let written = 0; written < FILE_BYTES; written += MiB) fs.writeSync(plain, zeros);
    fs.fsyncSync(plain);
    fs.closeSync(plain);
    // Where there is no O_DSYNC (Windows, macOS) each write is followed by a sync.
    this.syncFlag = process.platform === 'linux' ? fs.constants.O_DSYNC : 0;
    this.descriptor = fs.openSync(this.file, fs.constants.O_RDWR | this.syncFlag);
    this.position = 0;
  }

  /** @param {Uint8Array} bytes */
  write(bytes) {
    if (this.position + bytes.length > FILE_BYTES) this.position = 0;
    fs.writeSync(this.descriptor, bytes, 0, bytes.length, this.position);
    if (this.syncFlag === 0) fs.fsyncSync(this.descriptor);
    this.position += bytes.length;
  }

  close() {
    fs.closeSync(this.descriptor);
  }
}
