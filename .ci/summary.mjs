/**
 * Adds up what `.ci/run` did: its steps and the tests of vitest's JSON report. The last line is
 * "N passed, N failed"; the exit code is 1 when anything failed or no test ran.
 */
import { existsSync, readFileSync } from 'node:fs';

const [stepsPath, reportPath] = process.argv.slice(2);

const steps = readFileSync(stepsPath, 'utf8').trim().split('\n');
const failedSteps = steps.filter((line) => line.startsWith('failed '));

const tests = { passed: 0, failed: 0, skipped: 0 };
if (existsSync(reportPath)) {
  const report = JSON.parse(readFileSync(reportPath, 'utf8'));
  tests.passed = report.numPassedTests;
  tests.failed = report.numFailedTests;
  tests.skipped = report.numPendingTests + report.numTodoTests;
  for (const file of report.testResults) {
    const failures = file.assertionResults.filter((result) => result.status === 'failed');
    for (const failure of failures) console.log(`failed: ${file.name}: ${failure.fullName}`);
    if (file.status === 'failed' && failures.length === 0) {
      console.log(`failed to load: ${file.name}: ${file.message}`);
    }
  }
}

console.log(`\nsteps: ${steps.length - failedSteps.length} of ${steps.length} passed`);
for (const line of failedSteps) console.log(`  ${line}`);
console.log(`tests: ${tests.passed} passed, ${tests.failed} failed, ${tests.skipped} skipped`);
if (tests.passed === 0) console.log('No test passed: that is a failure too.');

const passed = steps.length - failedSteps.length + tests.passed;
const failed = failedSteps.length + tests.failed + (tests.passed === 0 ? 1 : 0);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
