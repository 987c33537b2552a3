import type { FastifyInstance } from 'fastify';
import * as z from 'zod';
import type { CloudSim } from '../cloud-sim.ts';
import { body, done } from './admin-replies.ts';

const BalancerSchema = z.strictObject({ name: z.string().min(1), vpcId: z.string(), zones: z.array(z.string()) });
const GroupSchema = z.strictObject({
  ...{ name: z.string().min(1), port: z.number().int().min(1).max(65_535), vpcId: z.string() },
  protocol: z.enum(['HTTP', 'HTTPS', 'TCP', 'TLS', 'UDP', 'TCP_UDP', 'QUIC', 'TCP_QUIC']).default('HTTP'),
  targetType: z.enum(['instance', 'ip']).default('instance'),
  loadBalancerArn: z.string().nullable().default(null),
  drainMs: z.number().min(0).max(3_600_000).default(300_000),
  checks: z
    .strictObject({ enabled: z.boolean(), intervalMs: z.number().min(1), unhealthyAfter: z.number().int().min(1) })
    .partial()
    .default({}),
});
const ShiftSchema = z.strictObject({ loadBalancerArn: z.string(), zones: z.array(z.string()) });
const FailingSchema = z.strictObject({ id: z.string(), failing: z.boolean() });

/** Leaves out what is undefined, as the maker wants it. */
const given = <T extends object>(value: T) =>
  Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined)) as never;

/** `/_sim/elbv2/…`: balancers, target groups and what their health checks find. */
export function addElbv2Routes(app: FastifyInstance, sim: CloudSim): void {
  app.post('/_sim/elbv2/load-balancers', (request, reply) => {
    const wanted = body(BalancerSchema, request.body, reply);
    return wanted ? reply.send({ loadBalancer: sim.balancing.makeBalancer(wanted) }) : reply;
  });
  app.post('/_sim/elbv2/target-groups', (request, reply) => {
    const wanted = body(GroupSchema, request.body, reply);
    if (!wanted) return reply;
    const { arn } = sim.balancing.make({ ...wanted, checks: given(wanted.checks) });
    return reply.send({ targetGroup: { arn } });
  });
  app.post('/_sim/elbv2/zonal-shift', (request, reply) => {
    const wanted = body(ShiftSchema, request.body, reply);
    if (!wanted) return reply;
    const balancer = sim.balancing.balancer(wanted.loadBalancerArn);
    if (balancer) sim.balancing.putBalancer({ ...balancer, shiftedZones: wanted.zones });
    return done(reply, balancer !== undefined, 'no load balancer of that ARN');
  });
  app.post('/_sim/elbv2/checks', (request, reply) => {
    const wanted = body(FailingSchema, request.body, reply);
    if (!wanted) return reply;
    if (wanted.failing) sim.balancing.failingChecks.add(wanted.id);
    else sim.balancing.failingChecks.delete(wanted.id);
    return done(reply, true, '');
  });
}
