#!/usr/bin/env node
/**
 * The command `pawl`. Sets the exit code and lets the process end by itself, so that what was
 * written leaves it whole.
 */
import { run } from './run.ts';
import { processShell } from './shell.ts';

const code = await run(process.argv.slice(2), processShell());
// An output that could not be written has set one already.
process.exitCode ??= code;
