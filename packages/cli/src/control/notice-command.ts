import { NoticesViewSchema } from '@understudy/shared';
import { carryOut, printResult } from './carry-out.ts';
import { ControlClient, type Sent } from './control-client.ts';
import type { CommandDefinition } from '../command-definition.ts';
import type { MutationOptions } from '../options/mutation-options.ts';
import type { ProgramContext } from '../program-context.ts';

interface Named {
  readonly webhook: string;
  readonly id: string;
}

async function run(
  word: 'resend' | 'drop',
  context: ProgramContext,
  { webhook, id }: Named,
  options: MutationOptions,
): Promise<void> {
  const client = new ControlClient(context, options);
  const { undelivered } = await client.read(NoticesViewSchema, '/v1/notices');
  const notice = undelivered.find((one) => one.webhook === webhook && one.id === id);
  const path = `/v1/notices/${encodeURIComponent(webhook)}/${encodeURIComponent(id)}/${word}`;
  const sent: Sent = { ...{ method: 'POST', path, body: {} } };
  const now = notice
    ? `now: ${webhook} did not take ${notice.kind}: ${notice.what} (${notice.error})`
    : `now: no notice ${id} was given up for ${webhook}, as far as is shown`;
  printResult(await carryOut(client, { sent, now }, options), options);
}

/** A command about a notice that was given up. */
export const noticeCommand = (word: 'resend' | 'drop', summary: string, what: string): CommandDefinition => ({
  ...{ name: `notice ${word}`, summary, kind: 'mutation' },
  examples: [
    { line: `understudy notice ${word} pager 1767225600000-0123456789abcdef --reason 'the pager is back'`, what },
  ],
  define: (command, context) => {
    command
      .argument('<webhook>', 'its name in notify.webhooks')
      .argument('<id>', 'as `understudy notices` shows it')
      .action((webhook: string, id: string, options: MutationOptions) => run(word, context, { webhook, id }, options));
  },
});
