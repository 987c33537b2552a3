import type { MemberId } from '@understudy/shared';
import { Webhook } from 'standardwebhooks';
import { describe, expect, test } from 'vitest';
import { NotifyConfigSchema } from './notify-config.ts';
import { bodyOf } from './sink.ts';
import { signedHeaders, webhookSecret } from './webhook.ts';

const DB1: MemberId = 'prod/db1';
const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const NOTICE = {
  id: '1767225600000-0123456789abcdef',
  kind: 'member.dead',
  severity: 'critical',
  group: 'prod',
  memberCount: 1,
  opId: null,
  atWallMs: 1_767_225_600_000,
  what: 'prod/db1 is dead',
  why: 'nobody hears it',
  next: 'it is recovered',
} as const;
const noticeOf = () => ({ ...NOTICE, members: [DB1] });

describe('a signed notice', () => {
  const body = bodyOf(noticeOf(), 'https://us.example/');
  const sign = (nowWallMs: number) =>
    signedHeaders(webhookSecret(SECRET) ?? new Uint8Array(), { id: NOTICE.id, body, nowWallMs });

  test('is what a receiver with the library of Standard Webhooks takes, and nothing else is', () => {
    const receiver = new Webhook(SECRET);
    const headers = { ...sign(Date.now()) };
    expect(receiver.verify(body, headers)).toMatchObject({ type: 'member.dead' });
    expect(() => receiver.verify(`${body} `, headers)).toThrow(/signature/i);
    expect(() => receiver.verify(body, { ...headers, 'webhook-id': 'other' })).toThrow(/signature/i);
    expect(() => receiver.verify(body, { ...sign(Date.now() - 3_600_000) })).toThrow(/timestamp/i);
  });

  test('says what, why, what next and where, for people and for programs', () => {
    expect(JSON.parse(body)).toEqual({
      ...{ id: NOTICE.id, type: 'member.dead', timestamp: '2026-01-01T00:00:00.000Z', severity: 'critical' },
      ...{ group: 'prod', members: ['prod/db1'], memberCount: 1, recovery: null },
      ...{ what: 'prod/db1 is dead', why: 'nobody hears it', next: 'it is recovered' },
      link: 'https://us.example/#/members/prod/db1',
      text: '[critical] prod/db1 is dead\nWhy: nobody hears it\nNext: it is recovered\nhttps://us.example/#/members/prod/db1',
    });
    expect(JSON.parse(bodyOf(noticeOf(), null))).toMatchObject({ link: null });
    expect(JSON.parse(bodyOf({ ...noticeOf(), members: [], memberCount: 0 }, 'https://us.example'))).toMatchObject({
      link: 'https://us.example/',
    });
  });
});

test.each([
  ['', null],
  ['hunter2', null],
  [`whsec_${Buffer.alloc(23).toString('base64')}`, null],
  [`${SECRET}\n`, 32],
])('the secret %j has %j bytes', (text, length) => {
  expect(webhookSecret(text)?.length ?? null).toBe(length);
});

test('a user or a password in the URL is refused, since it would stand in logs and in etcd', () => {
  const parsed = (url: string) =>
    NotifyConfigSchema.safeParse({ webhooks: [{ name: 'pager', url, secretFile: '/x' }] }).success;
  expect([parsed('https://a:b@example.org/x'), parsed('https://a@example.org/x')]).toEqual([false, false]);
  expect(parsed('https://example.org/a:b@x')).toBe(true);
});
