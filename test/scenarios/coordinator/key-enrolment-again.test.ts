import { enrolmentRemedy } from '@understudy/agent/testing';
import { CloudSim } from '@understudy/cloud-sim';
import { ENROLMENT_REFUSALS, KeyEnrolment, type KeyEnrolmentOptions } from '@understudy/coordinator/testing';
import {
  type CloudInstance,
  keyspace,
  type MemberId,
  publicKeyOf,
  silentLog,
  TAG,
  type Term,
} from '@understudy/shared';
import { SeededRandom, SimClock } from '@understudy/shared/testing';
import { X509Certificate } from 'node:crypto';
import { expect, test } from 'vitest';

const DB1: MemberId = 'prod/db1';
const INSTANCE = { instanceId: 'i-0123456789abcdef0', privateIp: '10.0.0.7', launchedAtWallMs: 0 };
const publicKey = publicKeyOf(new Uint8Array(32).fill(1));
const { identity } = new CloudSim({ clock: new SimClock() });

/** A leader by whom that instance was given its key. `meanwhile` goes on while EC2 is asked. */
function leading(meanwhile: () => void, holds: { remainingMs: number; isFresh: boolean }) {
  const commits: unknown[] = [];
  const instance = {
    ...{ ...INSTANCE, state: 'running', networkInterfaces: [] },
    tags: { [TAG.group]: 'prod', [TAG.member]: 'db1' },
  } as unknown as CloudInstance;
  const table = (record: object | null) => new Map(record === null ? [] : [[DB1, { record, modRevision: 5 }]]);
  const { instanceId } = INSTANCE;
  const records = {
    ...{ activations: table({ instanceId }), members: table(null), intents: table(null) },
    enrolments: table({ instanceId, publicKey, opId: null }),
  };
  const enrolment = new KeyEnrolment({
    settings: {
      ...{ region: 'us-east-1', accounts: ['123456789012'] },
      signers: [new X509Certificate(identity.certificate()).publicKey],
    },
    cloud: { describeInstances: () => Promise.resolve([instance]).finally(meanwhile) },
    view: { records, isFresh: () => holds.isFresh } as unknown as KeyEnrolmentOptions['view'],
    ...{ keys: keyspace(), clock: new SimClock(), random: new SeededRandom(1), log: silentLog },
    masters: () => new Map([[1, new Uint8Array(32).fill(9)]]),
  });
  const term = {
    ...{ signal: new AbortController().signal, remainingMs: () => holds.remainingMs },
    commit: (write: object) => Promise.resolve(commits.push(write)),
  } as unknown as Term;
  const document = JSON.stringify({
    ...{ accountId: '123456789012', instanceId, privateIp: '10.0.0.7', region: 'us-east-1' },
    pendingTime: '1970-01-01T00:00:00Z',
  });
  const request = { member: DB1, document: identity.rsa2048(document), publicKey, address: '10.0.0.7', requestId: 'r' };
  return { commits, ask: () => enrolment.take(term, request) };
}

test('an agent that asks again is answered again, and nothing is written', async () => {
  const { ask, commits } = leading(() => undefined, { remainingMs: 1_000, isFresh: true });
  expect(await ask()).toMatchObject({ kind: 'given', repeated: true });
  expect(commits).toEqual([]);
});

test.each([
  ['its term is over', { remainingMs: 0 }],
  ['what it knows of etcd is old', { isFresh: false }],
])('not by a leader that was paused while it asked EC2: by its own clock %s', async (_name, after) => {
  const holds = { remainingMs: 1_000, isFresh: true };
  const { ask } = leading(() => Object.assign(holds, after), holds);
  expect(await ask()).toMatchObject({ kind: 'unavailable' });
});

test.each(ENROLMENT_REFUSALS)('an agent that is refused for %s says what to do about just that', (reason) => {
  expect(enrolmentRemedy(reason)).not.toBe(enrolmentRemedy('something else'));
});
