import type { FastifyInstance } from 'fastify';
import * as z from 'zod';
import type { CloudSim } from '../cloud-sim.ts';
import type { EventPattern } from '../core/event-bus/event-bus.ts';
import { body, done } from './admin-replies.ts';

const share = z.number().min(0).max(1).default(0);

const QueueSchema = z.strictObject({
  name: z.string().regex(/^[\w-]{1,80}$/),
  visibilityTimeoutMs: z.number().min(0).max(43_200_000).default(30_000),
  deadLetter: z
    .strictObject({ arn: z.string(), afterReceives: z.number().int().min(1).max(1_000) })
    .nullable()
    .default(null),
  policy: z.record(z.string(), z.unknown()).nullable().default(null),
  unruly: z.strictObject({ redelivered: share, afterDelete: share, missed: share }).prefault({}),
});

const PatternSchema: z.ZodType<EventPattern> = z.lazy(() =>
  z.record(z.string(), z.union([z.array(z.string()), PatternSchema])),
);
const RuleSchema = z.strictObject({
  name: z.string().regex(/^[\w.-]{1,64}$/),
  ...{ pattern: PatternSchema, queueArn: z.string() },
  deadLetterArn: z.string().nullable().default(null),
  bus: z.string().default('default'),
});
const BusSchema = z.strictObject({ name: z.string().regex(/^[\w./-]{1,256}$/) });
const TopicSchema = z.strictObject({
  name: z.string().regex(/^[\w-]{1,256}(?:\.fifo)?$/),
  subscriptions: z
    .array(
      z.strictObject({
        ...{ queueArn: z.string(), isRaw: z.boolean().default(false) },
        filter: z.record(z.string(), z.array(z.string())).default({}),
      }),
    )
    .default([]),
  isContentDeduplicated: z.boolean().default(false),
  kmsKey: z.string().nullable().default(null),
});
const ForgedSchema = z.strictObject({ event: z.record(z.string(), z.unknown()) });
const TrailSchema = z.strictObject({ on: z.boolean() });

/**
 * `/_sim/sqs/…`, `/_sim/sns/…` and `/_sim/events-bus/…`: queues, topics, buses, rules, a trail, and
 * what somebody makes up.
 */
export function addEventRoutes(app: FastifyInstance, sim: CloudSim): void {
  app.post('/_sim/sqs/queues', (request, reply) => {
    const wanted = body(QueueSchema, request.body, reply);
    if (!wanted) return reply;
    const { unruly, policy, ...settings } = wanted;
    const queue = sim.queues.make({ ...settings, policy: policy === null ? null : JSON.stringify(policy) });
    queue.unruly = unruly;
    return reply.send({ queue: { url: queue.url, arn: queue.arn } });
  });
  app.get('/_sim/sqs/queues', (_request, reply) =>
    reply.send({
      queues: sim.queues.all().map(({ url, arn, waiting, inFlight }) => ({ url, arn, waiting, inFlight })),
    }),
  );
  app.post('/_sim/events-bus/rules', (request, reply) => {
    const wanted = body(RuleSchema, request.body, reply);
    return wanted ? reply.send({ rule: { arn: sim.events.putRule(wanted) } }) : reply;
  });
  app.post('/_sim/events-bus/buses', (request, reply) => {
    const wanted = body(BusSchema, request.body, reply);
    return wanted ? reply.send({ bus: { arn: sim.events.addBus(wanted.name) } }) : reply;
  });
  app.post('/_sim/sns/topics', (request, reply) => {
    const wanted = body(TopicSchema, request.body, reply);
    return wanted ? reply.send({ topic: { arn: sim.topics.make(wanted).arn } }) : reply;
  });
  app.post('/_sim/events-bus/trail', (request, reply) => {
    const wanted = body(TrailSchema, request.body, reply);
    if (!wanted) return reply;
    sim.events.hasTrail = wanted.on;
    return done(reply, true, '');
  });
  app.post('/_sim/events-bus/forge', (request, reply) => {
    const wanted = body(ForgedSchema, request.body, reply);
    if (!wanted) return reply;
    sim.forgeEvent(wanted.event);
    return done(reply, true, '');
  });
}
