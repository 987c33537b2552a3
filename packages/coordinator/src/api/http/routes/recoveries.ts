import { RecoveriesViewSchema } from '@understudy/shared';
import { defineRoute, ok } from '../route.ts';

export const recoveries = defineRoute({
  ...{ method: 'GET', path: '/v1/recoveries', role: 'read', operationId: 'listRecoveries', tag: 'Recoveries' },
  summary: 'Open recoveries step by step, ended ones, and what operators asked for',
  answers: { 200: { text: 'The newest ended ones first.', schema: RecoveriesViewSchema } },
  refusals: ['STARTING'],
  handle: (_, context) => ok(context.api().recoveries()),
});
