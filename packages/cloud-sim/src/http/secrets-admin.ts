import type { FastifyInstance } from 'fastify';
import * as z from 'zod';
import type { CloudSim } from '../cloud-sim.ts';
import { body, done } from './admin-replies.ts';

const SecretSchema = z.strictObject({
  store: z.enum(['ssm', 'secretsmanager']),
  name: z.string().min(1).max(2_048),
  /** Null takes it out. */
  value: z.string().max(65_536).nullable(),
  /** What the caller's role and the KMS key's policy allow. */
  access: z.enum(['all', 'none', 'no-decrypt']).default('all'),
});

/** `POST /_sim/secrets` puts a value into Parameter Store or Secrets Manager. */
export function addSecretRoutes(app: FastifyInstance, sim: CloudSim): void {
  app.post('/_sim/secrets', (request, reply) => {
    const wanted = body(SecretSchema, request.body, reply);
    if (!wanted) return reply;
    sim.putSecret(wanted.store, wanted.name, wanted.value, wanted.access);
    return done(reply, true, '');
  });
}
