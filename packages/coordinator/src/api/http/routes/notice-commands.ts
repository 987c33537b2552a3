import * as z from 'zod';
import { carryOut, commandFields, commandRoute, COMMON_REFUSALS } from '../carry-out.ts';
import { type AnyRoute, defineRoute } from '../route.ts';

const ParamsSchema = z.strictObject({
  webhook: z.string().max(63),
  id: z.string().max(64),
});

const COMMANDS = [
  {
    word: 'resend',
    kind: 'resend-notice',
    operationId: 'resendNotice',
    summary: 'Send a notice that was given up to its webhook again, under the id it had',
  },
  {
    word: 'drop',
    kind: 'drop-notice',
    operationId: 'dropNotice',
    summary: 'Forget a notice that a webhook did not take',
  },
] as const;

/** What an operator does about a notice that was given up. */
export const noticeCommands: readonly AnyRoute[] = COMMANDS.map(({ word, kind, operationId, summary }) =>
  defineRoute({
    ...{ ...commandRoute, method: 'POST', path: `/v1/notices/:webhook/:id/${word}` },
    ...{ operationId, summary, tag: 'Notices', params: ParamsSchema, body: z.strictObject(commandFields) },
    refusals: [...COMMON_REFUSALS, 'NOTHING_THERE'],
    handle: (asked, context) => {
      const { webhook, id } = asked.params;
      return carryOut(asked, context, { kind, webhook, noticeId: id });
    },
  }),
);
