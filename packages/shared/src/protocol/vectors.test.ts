import { readFileSync } from 'node:fs';
import { describe, expect, it, test } from 'vitest';
import * as z from 'zod';
import {
  agentIdOf,
  clientTokenOf,
  coordinatorHashOf,
  deriveAgentKey,
  hmacOf,
  instanceHashOf,
  opIdOf,
} from './identity.ts';
import {
  type Ack,
  decodeAck,
  decodeHeartbeat,
  decodeProbe,
  encodeAck,
  encodeHeartbeat,
  encodeProbe,
  type Heartbeat,
  HEARTBEAT_OFFSET,
  type Probe,
  tagMatches,
} from './frame.ts';
import { parseMemberId } from '../member-id.ts';

/**
 * The vectors stand only in the protocol's documentation. They were checked once with an
 * implementation in another language.
 */
const page = readFileSync(new URL('../../../../docs/heartbeat-protocol.md', import.meta.url), 'utf8');
const block = /## Test vectors[^]*?```json\n([^]*?)```/.exec(page)?.[1];

const { identity, frames } = z
  .object({
    identity: z.object({
      masterKey: z.string(),
      keyId: z.number(),
      member: z.string(),
      instanceId: z.string(),
      coordinatorId: z.string(),
      agentKey: z.string(),
      agentKeyOfKeyId2: z.string(),
      agentId: z.string(),
      instanceHash: z.string(),
      coordinatorHash: z.number(),
      opId: z.string(),
      launchToken1: z.string(),
      permitToken1: z.string(),
    }),
    frames: z.array(
      z.object({
        name: z.string(),
        type: z.enum(['heartbeat', 'ack', 'probe']),
        fields: z.record(z.string(), z.unknown()),
        bytes: z.array(z.string()),
      }),
    ),
  })
  .parse(JSON.parse(block ?? 'null'));

const BIG_FIELDS = ['bootEpoch', 'sequence', 'term', 'newestEpoch'];

/** 64-bit fields are written as text in JSON. */
function withBigints(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withBigints);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [
      key,
      BIG_FIELDS.includes(key) && typeof each === 'string' ? BigInt(each) : withBigints(each),
    ]),
  );
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const fromHex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'));
const { member } = parseMemberId(identity.member);
const mac = hmacOf(fromHex(identity.agentKey));

const CODEC = {
  heartbeat: { encode: (fields: unknown) => encodeHeartbeat(fields as Heartbeat, mac), decode: decodeHeartbeat },
  ack: { encode: (fields: unknown) => encodeAck(fields as Ack, mac), decode: decodeAck },
  probe: { encode: (fields: unknown) => encodeProbe(fields as Probe, mac), decode: decodeProbe },
};

describe('the vectors of docs/heartbeat-protocol.md', () => {
  it('cover every type', () => {
    expect(new Set(frames.map(({ type }) => type))).toEqual(new Set(['heartbeat', 'ack', 'probe']));
  });

  test.each(frames.map((frame) => [frame.name, frame] as const))('%s: fields → bytes', (_, { type, fields, bytes }) => {
    expect(hex(CODEC[type].encode(withBigints(fields)))).toBe(bytes.join(''));
  });

  test.each(frames.map((frame) => [frame.name, frame] as const))('%s: bytes → fields', (_, { type, fields, bytes }) => {
    const datagram = fromHex(bytes.join(''));
    expect(tagMatches(datagram, mac)).toBe(true);
    expect(CODEC[type].decode(datagram)).toEqual(withBigints(fields));
  });

  it('fix how members, instances and coordinators are named on the wire', () => {
    expect(agentIdOf(member)).toBe(identity.agentId);
    expect(instanceHashOf(identity.instanceId)).toBe(identity.instanceHash);
    expect(coordinatorHashOf(identity.coordinatorId)).toBe(identity.coordinatorHash);
  });

  it('fix how keys are derived: per key id and per member', () => {
    const master = fromHex(identity.masterKey);
    expect(hex(deriveAgentKey(master, identity.keyId, member))).toBe(identity.agentKey);
    expect(hex(deriveAgentKey(master, 2, member))).toBe(identity.agentKeyOfKeyId2);
    expect(hex(deriveAgentKey(master, identity.keyId, 'orders/db-2'))).not.toBe(identity.agentKey);
  });

  it('fix recovery ids and ClientTokens: another value would be a second launch after an upgrade', () => {
    expect(opIdOf(identity.instanceId)).toBe(identity.opId);
    expect(clientTokenOf(identity.instanceId, 'launch', 1)).toBe(identity.launchToken1);
    expect(clientTokenOf(identity.instanceId, 'permit', 1)).toBe(identity.permitToken1);
  });
});

/** Rows `| offset | size | field |` of the tables under a heading. */
function layout(heading: string): { offset: number; size: number; field: string }[] {
  const section = page.split(/^## /m).find((each) => each.startsWith(heading)) ?? '';
  return Array.from(section.matchAll(/^\| (\d+) \| (\d+)(?: × (\d+))? \| ([^|]+?) \|/gm), (row) => ({
    offset: Number(row[1]),
    size: Number(row[2]) * Number(row[3] ?? 1),
    field: row[4] ?? '',
  }));
}

describe('the tables of docs/heartbeat-protocol.md', () => {
  test.each([
    ['Heartbeat', 160],
    ['Ack', 96],
    ['Probe', 160],
  ])('%s: the fields follow each other without gap or overlap and fill %i bytes', (heading, total) => {
    let end = 0;
    for (const { offset, size, field } of [...layout('Head ('), ...layout(heading)]) {
      expect(offset, `${heading}: ${field}`).toBe(end);
      end = offset + size;
    }
    expect(end).toBe(total);
  });

  it('agree with the offsets at which the coordinator reads a heartbeat in place', () => {
    const offsets = new Map([...layout('Head ('), ...layout('Heartbeat')].map(({ field, offset }) => [field, offset]));
    const words = (name: string) => name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
    for (const [name, offset] of Object.entries(HEARTBEAT_OFFSET)) expect(offsets.get(words(name)), name).toBe(offset);
  });
});
