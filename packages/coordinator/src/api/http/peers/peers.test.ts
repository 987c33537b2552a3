import { SimClock } from '@understudy/shared/testing';
import { beforeEach, describe, expect, test } from 'vitest';
import { nobody } from '../access/caller.ts';
import { ClusterKeys } from '../cluster-keys.ts';
import { PEER_WINDOW_MS, PeerGate } from './peer-gate.ts';
import {
  isAnswerSigned,
  PEER_HEADER,
  PEER_SIGNATURE_HEADER,
  type PeerRequest,
  sha256Of,
  signAnswer,
  signedHeaders,
} from './peer-signature.ts';

const secret = (fill: number) => new Uint8Array(32).fill(fill);
const OLD = new Map([[1, secret(1)]]);
const BOTH = new Map([
  [1, secret(1)],
  [2, secret(2)],
]);
const NEW = new Map([[2, secret(2)]]);

const { passedOnBy: _, ...somebody } = nobody('read');
const CALLER = {
  ...somebody,
  id: 'token:ab12',
  name: 'ann',
  role: 'operate' as const,
  groups: ['db'],
  via: 'bearer' as const,
};

let clock: SimClock;
let gate: PeerGate;
let count = 0;
beforeEach(() => {
  clock = new SimClock();
  gate = new PeerGate({ coordinatorId: 'c1', keys: new ClusterKeys(OLD), clock });
});

const requestOf = (over: Partial<PeerRequest> = {}): PeerRequest => ({
  ...{ method: 'POST', path: '/v1/members/db/a/retry', bodySha256: sha256Of('{}'), from: 'c2', to: 'c1' },
  ...{
    atWallMs: clock.wallMs(),
    requestId: `r${count++}`,
    caller: CALLER,
    address: '192.0.2.1',
    ifMatch: '',
    idempotencyKey: 'k1',
  },
  ...over,
});
/** `sent`: what arrives, where it is not what was signed. */
function arrive(request: PeerRequest, keys = new ClusterKeys(OLD), sent: Partial<PeerRequest> = {}) {
  const headers = signedHeaders(keys, request);
  return gate.admit(headers[PEER_HEADER] ?? '', headers[PEER_SIGNATURE_HEADER] ?? '', { ...request, ...sent });
}
const refusal = (why: string) =>
  expect.objectContaining({ code: 'PEER_REFUSED', message: expect.stringContaining(why) });

describe('what another coordinator passes on', () => {
  test('is taken with the identity of the original caller', () => {
    expect(arrive(requestOf())).toMatchObject({
      address: '192.0.2.1',
      caller: { ...CALLER, passedOnBy: 'c2' },
      bodySha256: sha256Of('{}'),
    });
  });

  test.each<[string, Partial<PeerRequest>]>([
    ['another method', { method: 'PUT' }],
    ['another path', { path: '/v1/members/web/a/retry' }],
    ['another query', { path: '/v1/members/db/a/retry?x=1' }],
    ['another If-Match', { ifMatch: '"7"' }],
    ['another Idempotency-Key', { idempotencyKey: 'k2' }],
  ])('is refused with %s than was signed', (_, sent) => {
    expect(() => arrive(requestOf(), undefined, sent)).toThrow(refusal('signature'));
  });

  test('is refused with another identity, address, body or time than was signed', () => {
    const request = requestOf();
    const signature = signedHeaders(new ClusterKeys(OLD), request)[PEER_SIGNATURE_HEADER] ?? '';
    for (const over of [
      { caller: { ...CALLER, groups: null } },
      { bodySha256: sha256Of('{"a":1}') },
      { atWallMs: 1 },
      { address: '192.0.2.2' },
    ]) {
      const header = signedHeaders(new ClusterKeys(NEW), { ...request, ...over })[PEER_HEADER] ?? '';
      expect(() => gate.admit(header, signature, request)).toThrow(refusal('signature'));
    }
  });

  test('is refused with a key that is no master secret of ours, and from an agent', () => {
    expect(() => arrive(requestOf(), new ClusterKeys(NEW))).toThrow(refusal('signature'));
    for (const signature of ['', '1.', '1.AAAA', '9.AAAA', 'x', ':::'])
      expect(() => gate.admit('e30', signature, requestOf())).toThrow(refusal('signature'));
  });

  test('is taken with either master secret while they are rotated', () => {
    gate = new PeerGate({ coordinatorId: 'c1', keys: new ClusterKeys(BOTH), clock });
    for (const keys of [OLD, BOTH, NEW]) expect(arrive(requestOf(), new ClusterKeys(keys)).caller.name).toBe('ann');
    const keys = new ClusterKeys(BOTH);
    gate = new PeerGate({ coordinatorId: 'c1', keys, clock });
    keys.take(NEW);
    expect(() => arrive(requestOf(), new ClusterKeys(OLD))).toThrow(refusal('signature'));
  });

  test('is refused when it was meant for another coordinator', () => {
    expect(() => arrive(requestOf({ to: 'c3' }))).toThrow(refusal('meant for c3'));
  });

  test('is taken once', () => {
    const request = requestOf();
    arrive(request);
    expect(() => arrive(request)).toThrow(refusal('received before'));
    arrive(requestOf());
  });

  test('is refused when it is old, of the future, or from before our start', async () => {
    expect(() => arrive(requestOf({ atWallMs: clock.wallMs() - 1 }))).toThrow(
      refusal('before this coordinator started'),
    );
    await clock.advance(PEER_WINDOW_MS * 2);
    expect(() => arrive(requestOf({ atWallMs: clock.wallMs() - PEER_WINDOW_MS - 1 }))).toThrow(refusal('apart'));
    expect(() => arrive(requestOf({ atWallMs: clock.wallMs() + PEER_WINDOW_MS + 1 }))).toThrow(refusal('apart'));
    arrive(requestOf({ atWallMs: clock.wallMs() - PEER_WINDOW_MS }));
  });

  test('one that may still be taken is never forgotten', async () => {
    await clock.advance(PEER_WINDOW_MS);
    const ahead = requestOf({ atWallMs: clock.wallMs() + PEER_WINDOW_MS });
    arrive(ahead);
    for (let step = 0; step < 2 * PEER_WINDOW_MS; step += 5_000) {
      await clock.advance(step === 0 ? 0 : 5_000);
      arrive(requestOf());
      expect(() => arrive(ahead)).toThrow(refusal('received before'));
    }
    await clock.advance(PEER_WINDOW_MS);
    expect(() => arrive(ahead)).toThrow(refusal('apart'));
  });
});

test('an answer is by whom it says, and to what was asked', () => {
  const keys = new ClusterKeys(OLD);
  const signature = signAnswer(keys, 'r1', 'c1', 202, '{}');
  expect(isAnswerSigned(keys, signature, 'r1', 'c1', 202, '{}')).toBe(true);
  expect(isAnswerSigned(keys, signature, 'r2', 'c1', 202, '{}')).toBe(false);
  expect(isAnswerSigned(keys, signature, 'r1', 'c2', 202, '{}')).toBe(false);
  expect(isAnswerSigned(keys, signature, 'r1', 'c1', 200, '{}')).toBe(false);
  expect(isAnswerSigned(keys, signature, 'r1', 'c1', 202, '{"a":1}')).toBe(false);
});
