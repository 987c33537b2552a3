import type { ResourceRecordSet } from '@aws-sdk/client-route-53';
import type { FastifyInstance } from 'fastify';
import * as z from 'zod';
import type { CloudSim } from '../cloud-sim.ts';
import { body, done } from './admin-replies.ts';

const ZoneSchema = z.strictObject({
  name: z.string().min(1).max(255),
  /** A private zone, seen from these VPCs. */
  vpcIds: z.array(z.string()).max(20).default([]),
});
const RecordSchema = z.strictObject({
  zoneId: z.string(),
  /** A ResourceRecordSet, in the SDK's names. */
  record: z.looseObject({ Name: z.string(), Type: z.string() }),
});
const ProtectionSchema = z.strictObject({ zoneId: z.string(), name: z.string(), type: z.string(), on: z.boolean() });
const FormSchema = z.strictObject({ messages: z.boolean() });

/** `/_sim/route53/…`: what an owner of zones would have made long ago. */
export function addRoute53Routes(app: FastifyInstance, sim: CloudSim): void {
  app.get('/_sim/route53/zones', () => ({
    zones: sim.dns.all().map((one) => ({
      ...{ id: one.id, name: one.name, vpcIds: one.vpcIds },
      ...{ records: [...one.records.values()], protections: [...one.protections] },
    })),
  }));
  app.post('/_sim/route53/zones', (request, reply) => {
    const wanted = body(ZoneSchema, request.body, reply);
    return wanted ? reply.send({ zone: { id: sim.dns.make(wanted).id } }) : reply;
  });
  app.post('/_sim/route53/records', (request, reply) => {
    const wanted = body(RecordSchema, request.body, reply);
    if (!wanted) return reply;
    const known = sim.dns.get(wanted.zoneId) !== undefined;
    if (known) sim.dns.setRecord(wanted.zoneId, wanted.record as unknown as ResourceRecordSet);
    return done(reply, known, 'no zone of that id');
  });
  app.post('/_sim/route53/protections', (request, reply) => {
    const wanted = body(ProtectionSchema, request.body, reply);
    if (!wanted) return reply;
    const known = sim.dns.get(wanted.zoneId) !== undefined;
    if (known) sim.dns.protect(wanted.zoneId, wanted.name, wanted.type, wanted.on);
    return done(reply, known, 'no zone of that id');
  });
  app.post('/_sim/route53/error-form', (request, reply) => {
    const wanted = body(FormSchema, request.body, reply);
    if (!wanted) return reply;
    sim.dns.refusesInMessages = wanted.messages;
    return done(reply, true, '');
  });
}
