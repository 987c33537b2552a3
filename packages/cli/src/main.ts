import './colour.ts';
import { errorText, harmlessLines, harmlessText, isOperationError } from '@understudy/shared';
import { endWithOutput, SystemClock, SystemRandom } from '@understudy/shared/node';
import { EndingTold, EXIT, exitCodeOf } from './exit-codes.ts';
import { buildProgram } from './program.ts';
import { complain } from './terminal.ts';

/** The exit code of an error that has already been told: commander's own, or an ending of ours. */
const commanderExit = (error: unknown): number | null =>
  error instanceof Error && 'exitCode' in error && typeof error.exitCode === 'number'
    ? error instanceof EndingTold
      ? error.exitCode
      : error.exitCode === 0
        ? EXIT.ok
        : EXIT.usage
    : null;

/** The faults of a configuration stand on a line each; every other text is one line. */
const shownError = (error: unknown): string =>
  isOperationError(error) && error.code === 'CONFIG_INVALID'
    ? harmlessLines(errorText(error))
    : harmlessText(errorText(error));

endWithOutput('understudy');
try {
  const context = { clock: new SystemClock(), random: new SystemRandom(), environment: process.env };
  await buildProgram(context).parseAsync(process.argv);
} catch (error) {
  const code = commanderExit(error);
  if (code === null) {
    complain(`understudy: ${shownError(error)}`);
    if (isOperationError(error)) complain(`  ${error.explain()}`);
    else if (error instanceof Error && error.stack) complain(error.stack);
  }
  process.exitCode = code ?? exitCodeOf(error);
}
