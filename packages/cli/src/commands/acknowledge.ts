import { durationText, type HistoryRecord, HistoryViewSchema, OperationError } from '@understudy/shared';
import { carryOut, printResult } from '../control/carry-out.ts';
import { ControlClient } from '../control/control-client.ts';
import type { CommandDefinition } from '../command-definition.ts';
import type { MutationOptions } from '../options/mutation-options.ts';
import type { ProgramContext } from '../program-context.ts';

/** The ended recovery that an id, or the unique beginning of one, names. */
function named(history: readonly HistoryRecord[], text: string): HistoryRecord {
  const found = history.filter(({ opId }) => opId.startsWith(text) || opId.startsWith(`op-${text}`));
  const [first] = found;
  if (first === undefined || found.length > 1)
    throw new OperationError(
      'REQUEST_REFUSED',
      `${found.length} ended recoveries begin with ${text}: understudy history`,
    );
  return first;
}

async function run(context: ProgramContext, text: string, options: MutationOptions): Promise<void> {
  const client = new ControlClient(context, options);
  const { history } = await client.read(HistoryViewSchema, '/v1/history?limit=1000');
  const { member, opId, outcome, endedAtWallMs } = named(history, text);
  const agoMs = Math.max(0, context.clock.wallMs() - endedAtWallMs);
  const sent = { method: 'POST', path: `/v1/members/${member}/acknowledge`, body: { opId } } as const;
  const now = `now: ${opId} of ${member} ended ${durationText(agoMs)} ago: ${outcome}`;
  printResult(await carryOut(client, { sent, now }, options), options);
}

export const acknowledge: CommandDefinition = {
  name: 'acknowledge',
  summary: 'say that you have looked at an ended recovery: it no longer keeps the next one of its member waiting',
  kind: 'mutation',
  examples: [
    {
      line: "understudy acknowledge op-b944b299269f06a7 --reason 'a bad host'",
      what: 'the beginning of the id will do',
    },
  ],
  define: (command, context) => {
    command
      .argument('<recovery>', 'its id, from `understudy history`')
      .action((recovery: string, options: MutationOptions) => run(context, recovery, options));
  },
};
