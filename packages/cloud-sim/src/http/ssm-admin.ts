import type { FastifyInstance } from 'fastify';
import * as z from 'zod';
import type { CloudSim } from '../cloud-sim.ts';
import { body, done } from './admin-replies.ts';

const NodeSchema = z.strictObject({
  instanceId: z.string(),
  cutOff: z.boolean().optional(),
  frozen: z.boolean().optional(),
});

const ScriptsSchema = z.strictObject({
  exitCode: z.number().int().min(0).max(255).default(0),
  output: z.string().max(65_536).default(''),
  errors: z.string().max(65_536).default(''),
  tookMs: z.number().min(0).max(172_800_000).default(100),
  duplicated: z.number().min(0).max(1).default(0),
});

/** `/_sim/ssm/…`: agents of Systems Manager, and what scripts come to. */
export function addCommandRoutes(app: FastifyInstance, sim: CloudSim): void {
  app.post('/_sim/ssm/nodes', (request, reply) => {
    const wanted = body(NodeSchema, request.body, reply);
    if (!wanted) return reply;
    const { instanceId, cutOff, frozen } = wanted;
    const how = { ...(cutOff !== undefined && { cutOff }), ...(frozen !== undefined && { frozen }) };
    return done(reply, sim.setManaged(instanceId, how), `no instance ${instanceId}`);
  });
  app.post('/_sim/ssm/scripts', (request, reply) => {
    const wanted = body(ScriptsSchema, request.body, reply);
    if (!wanted) return reply;
    const { duplicated, ...result } = wanted;
    sim.commands.duplicated = duplicated;
    sim.commands.guest = () => result;
    return done(reply, true, '');
  });
  app.get('/_sim/ssm/executions', (_request, reply) => reply.send({ executions: sim.commands.executions }));
}
