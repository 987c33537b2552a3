import Fastify, { type FastifyInstance } from 'fastify';
import type { AdminParts } from './admin.ts';
import { addAdmin } from './admin.ts';
import type { CredentialRules } from './credentials.ts';
import { addQueryEndpoint } from './query-endpoint.ts';

/** EC2 on `POST /` and the admin API on `/_sim/`, not yet listening. */
export function buildServer(parts: AdminParts, rules: CredentialRules): FastifyInstance {
  const app = Fastify({ logger: false, forceCloseConnections: true, bodyLimit: 2 * 1024 * 1024 });
  addQueryEndpoint(app, parts.sim, rules);
  addAdmin(app, parts);
  return app;
}
