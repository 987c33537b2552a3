import Fastify, { type FastifyInstance } from 'fastify';
import { addAdmin, type AdminParts } from './admin.ts';
import type { CredentialRules } from './credentials.ts';
import { answer } from './endpoint.ts';
import { ROUTE53_PATH } from '../core/route53/index.ts';

const TEXT_TYPES = [
  'application/x-www-form-urlencoded',
  'application/x-amz-json-1.0',
  'application/x-amz-json-1.1',
  'application/xml',
];

/**
 * The simulated services on `POST /` (Route 53 on its own paths), and the admin API on `/_sim/`,
 * not yet listening.
 */
export function buildServer(parts: AdminParts, rules: CredentialRules): FastifyInstance {
  const app = Fastify({ logger: false, forceCloseConnections: true, bodyLimit: 2 * 1024 * 1024 });
  for (const type of TEXT_TYPES) {
    app.addContentTypeParser(type, { parseAs: 'string' }, (_request, body, done) => done(null, body));
  }
  app.post('/', (request, reply) => answer(parts.sim, request, reply, rules));
  app.route({
    ...{ method: ['GET', 'POST', 'DELETE'], url: `${ROUTE53_PATH}*` },
    handler: (request, reply) => answer(parts.sim, request, reply, rules),
  });
  addAdmin(app, parts);
  return app;
}
