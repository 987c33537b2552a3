import * as z from 'zod';
import { defineRoute, ok } from '../route.ts';

export const openapi = defineRoute({
  ...{ method: 'GET', path: '/v1/openapi.json', role: 'read', operationId: 'getApiDescription', tag: 'About the API' },
  summary: 'This description of the API',
  answers: { 200: { text: 'OpenAPI 3.1.', schema: z.looseObject({ openapi: z.string() }) } },
  handle: (_, context) => ok(context.description()),
});
