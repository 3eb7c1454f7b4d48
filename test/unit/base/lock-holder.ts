/**
 * A process that asks for a directory's lock, says on stdout how that went, keeps what it got, and
 * gives it back when stdin ends. Arguments: directory; 'kernel' or 'record'.
 */
import { lockDirectory } from '../../../src/base/dir-lock.ts';

const [directory = '', method = 'kernel'] = process.argv.slice(2);
const answer =
  method === 'record' ? await lockDirectory(directory, null) : await lockDirectory(directory);
if ('release' in answer) {
  process.stdout.write('held\n');
  process.stdin.resume();
  process.stdin.once(
    'end',
    () => void answer.release().then(() => process.stdout.write('released\n')),
  );
} else {
  process.stdout.write(`refused by ${answer.heldBy}\n`);
}
