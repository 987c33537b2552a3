import { expect, test } from 'vitest';
import { checkCredentials } from './credentials.ts';

const RULES = { region: 'us-east-1', accessKeyIds: [], clockSkewMaxMs: 900_000 };

const signedAt = (wallMs: number) => {
  const stamp = new Date(wallMs).toISOString().replace(/[-:]|\.\d{3}/g, '');
  return {
    authorization: `AWS4-HMAC-SHA256 Credential=AKIAGOOD/${stamp.slice(0, 8)}/us-east-1/ec2/aws4_request, SignedHeaders=host, Signature=${'0'.repeat(64)}`,
    'x-amz-date': stamp,
  };
};

test('a request signed 15 minutes off is taken, one second more is expired, early or late', () => {
  const nowMs = Date.parse('2026-11-28T12:00:00Z');
  const check = (offMs: number) => checkCredentials(signedAt(nowMs + offMs), RULES, nowMs, 'ec2');
  expect([check(-900_000), check(900_000)]).toEqual(['AKIAGOOD', 'AKIAGOOD']);
  for (const offMs of [-901_000, 901_000]) {
    expect(() => check(offMs)).toThrow(expect.objectContaining({ code: 'RequestExpired' }));
  }
});
