import type { CommandDefinition } from '../command-definition.ts';
import { EXIT } from '../exit-codes.ts';
import { keyId } from '../keys/key-options.ts';
import { readKeyStatus, retirementAnswer } from '../keys/key-status.ts';
import { clientAt, clusterOf } from '../options/client-options.ts';
import { outputOf, type ReadOptions } from '../options/output-options.ts';
import { keysText } from '../views/keys-view.ts';
import { present } from '../watch.ts';

interface KeysStatusOptions extends ReadOptions {
  readonly retire?: number;
}

export const keysStatus: CommandDefinition = {
  name: 'keys status',
  summary: 'which key ids the coordinators accept and the members use; what may be retired',
  kind: 'read',
  watch: false,
  examples: [
    { line: 'understudy keys status', what: 'how far a rotation is' },
    { line: 'understudy keys status --retire 1', what: 'exit code 0 only if id 1 may be retired now' },
  ],
  define: (command, { clock, environment }) => {
    command
      .option(
        '--retire <id>',
        'exit 0 only if this id may be retired now (without it: unless something is wrong)',
        keyId,
      )
      .action(async (options: KeysStatusOptions) => {
        const cluster = clusterOf(options, environment);
        const status = await readKeyStatus(cluster.urls, (urls) => clientAt(cluster, urls));
        await present(clock, outputOf(options), async () => status, keysText);
        const isWell =
          options.retire === undefined ? status.problems.length === 0 : retirementAnswer(status, options.retire).safe;
        if (!isWell) process.exitCode = EXIT.failed;
      });
  },
};
