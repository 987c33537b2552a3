import { KeysViewSchema } from '@understudy/shared';
import { defineRoute, ok } from '../route.ts';

export const keys = defineRoute({
  ...{ method: 'GET', path: '/v1/keys', role: 'read', operationId: 'getKeys', tag: 'Cluster' },
  summary: 'The key ids this coordinator accepts, and under which it hears each member',
  answers: { 200: { text: 'Ids and fingerprints, no secrets.', schema: KeysViewSchema } },
  refusals: ['STARTING'],
  handle: (_, context) => ok(context.api().keys()),
});
