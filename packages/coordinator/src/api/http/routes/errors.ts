import { API_PROBLEMS, ErrorCatalogueSchema, PROBLEM_CATALOGUE_PATH } from '@understudy/shared';
import { defineRoute, ok } from '../route.ts';

const entries = Object.entries(API_PROBLEMS).map(([code, problem]) => ({ code, ...problem }));

export const errors = defineRoute({
  ...{ method: 'GET', path: PROBLEM_CATALOGUE_PATH, role: 'read', operationId: 'listErrors', tag: 'About the API' },
  summary: 'Every code that a refusal can have, what it means and what to do',
  answers: { 200: { text: 'The catalogue, which is `docs/errors.md` too.', schema: ErrorCatalogueSchema } },
  handle: () => ok({ errors: entries }),
});
