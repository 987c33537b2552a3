import { describe, expect, it } from 'vitest';
import { GroupRecordSchema, HoldRecordSchema, OpinionRecordSchema } from './cluster.ts';
import { parseRecord } from './record.ts';

const KEY = '/understudy/v1/opinions/db/a/c1';
/** The record of a member whose services are not looked at. */
const PLAIN =
  '{"schemaVersion":1,"writeId":"0f","writtenBy":"c1","writtenAtWallMs":1790000000000,"member":"db/a","instanceId":"i-1","observer":"c1","observerAz":"us-east-1a","verdict":"alive","reason":"Heard","sinceWallMs":1789999000000,"lastHeardWallMs":1789999999000}';
const GROUP =
  '{"schemaVersion":1,"writeId":"0f","writtenBy":"me","writtenAtWallMs":0,"group":"db","policy":{"detect":{"suspectAfterMs":5000,"confirmForMs":3000,"degradedFailsAfterMs":60000}}}';
const service = {
  state: 'failing',
  probe: 'tcp-5432',
  reason: 'HttpStatus 503',
  sinceWallMs: 1_789_999_000_000,
  passedBefore: true,
  warning: null,
};

describe('an opinion record', () => {
  it('without a service says nothing of services', () => {
    const record = parseRecord(OpinionRecordSchema, KEY, PLAIN);
    expect(record).toMatchObject({ verdict: 'alive', lastHeardWallMs: 1_789_999_999_000 });
    expect(record.service).toBeUndefined();
  });

  it('with a service comes back as it was written, and stays bounded', () => {
    const value = JSON.stringify({ ...JSON.parse(PLAIN), service });
    expect(parseRecord(OpinionRecordSchema, KEY, value).service).toEqual(service);
    for (const wrong of [{ reason: 'x'.repeat(65) }, { probe: 'x'.repeat(33) }, { state: 'unknown' }]) {
      const faulty = JSON.stringify({ ...JSON.parse(PLAIN), service: { ...service, ...wrong } });
      expect(() => parseRecord(OpinionRecordSchema, KEY, faulty), JSON.stringify(wrong)).toThrow(KEY);
    }
  });

  it('keeps what a newer build says beside of its services', () => {
    const value = JSON.stringify({ ...JSON.parse(PLAIN), service: { ...service, extra: 1 } });
    expect(parseRecord(OpinionRecordSchema, KEY, value).service).toEqual({ ...service, extra: 1 });
  });
});

it('a group record that names no probes has none', () => {
  const { policy } = parseRecord(GroupRecordSchema, '/understudy/v1/groups/db', GROUP);
  expect(policy.detect).toMatchObject({ degradedFailsAfterMs: 60_000, serviceProbes: [], serviceFailsAfterMs: 0 });
});

it('a hold may be that a probe answers', () => {
  expect(HoldRecordSchema.shape.reason.safeParse('ProbeAnswered').success).toBe(true);
});
