import type { Fault } from '@understudy/cloud-sim';
import type { Command } from '@understudy/coordinator/testing';
import {
  type NoticeKind,
  NoticeRecordSchema,
  parseRecord,
  type ProblemCode,
  UndeliveredRecordSchema,
} from '@understudy/shared';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { command } from '../../scenarios/coordinator/commanding.ts';
import { KEYS, ScenarioCluster } from '../../scenarios/coordinator/scenario-cluster.ts';
import { TOLD, type Told, ToldServices } from './told-services.ts';

const BOTH: readonly Told[] = ['people', 'automation'];
const FAILING: Readonly<Record<Told, ProblemCode>> = { people: 'TOPIC_FAILING', automation: 'EVENT_BUS_FAILING' };

let services: ToldServices;
beforeAll(async () => {
  services = await ToldServices.start();
});
afterAll(() => services.close());
beforeEach(() => {
  services.makeAll();
  services.onAnswer = () => undefined;
});

/** Three coordinators and a member that is well, everything told so far. */
async function started(giveUpAfterMs?: number): Promise<ScenarioCluster> {
  const notify = { ...TOLD, ...(giveUpAfterMs !== undefined && { giveUpAfterMs }) };
  const cluster = new ScenarioCluster({ notify, sendNotice: services.sendNotice });
  cluster.seed('prod/db1');
  for (const index of cluster.hosts.keys()) cluster.start(index);
  await services.until(cluster, 'told that it is watched', () => services.came('automation').length >= 2);
  await services.advance(cluster, 5_000);
  await services.until(cluster, 'nothing waits', () => outbox(cluster).length === 0);
  return cluster;
}

const outbox = (cluster: ScenarioCluster) =>
  cluster.kv.entries(KEYS.outbox).map(({ key, value }) => parseRecord(NoticeRecordSchema, key, value));
/** What stands in the outbox of these notices. */
const waiting = (cluster: ScenarioCluster, ids: readonly string[]) =>
  outbox(cluster).filter(({ id }) => ids.includes(id));
const putAside = (cluster: ScenarioCluster) =>
  cluster.kv.entries(KEYS.undelivered).map(({ key, value }) => parseRecord(UndeliveredRecordSchema, key, value));
const problems = (cluster: ScenarioCluster) => cluster.mustLead().coordinator.api.status().problems;

/** Two pieces of news, one after the other: a pause and its end. Returns their ids. */
async function news(cluster: ScenarioCluster): Promise<readonly [string, string]> {
  const from = services.tried.length;
  const scope = 'group/prod';
  const tell = async (kind: NoticeKind, asked: Command): Promise<string> => {
    await services.until(cluster, 'somebody leads', () => cluster.leader() !== null);
    expect(await command(cluster, asked)).toMatchObject({ kind: 'done' });
    const tried = () => services.tried.slice(from).find((one) => one.kind === kind);
    await services.until(cluster, `${kind} is told`, () => tried() !== undefined || isHeldUp(cluster, kind));
    return tried()?.id ?? outbox(cluster).find((one) => one.kind === kind)?.id ?? '';
  };
  return [
    await tell('pause.begun', { kind: 'pause', scope, untilWallMs: null, replaces: null }),
    await tell('pause.ended', { kind: 'resume', scope, revision: null }),
  ];
}

/** It stands behind another one, which no sink takes. */
const isHeldUp = (cluster: ScenarioCluster, kind: NoticeKind) => outbox(cluster).some((one) => one.kind === kind);

/** How often each of these notices came to that sink, in the order in which they came first. */
const copies = (told: Told, ids: readonly string[]): readonly (readonly [string, number])[] => {
  const came = services.came(told).filter((id) => ids.includes(id));
  return [...new Set(came)].map((id) => [id, came.filter((one) => one === id).length]);
};

type Ill = Pick<Fault, 'kind' | 'code' | 'httpStatus' | 'delayMs'> & {
  /** Default: the call that tells. */
  readonly action?: string;
  /** Times each notice that it strikes came at the end. Default 1. */
  readonly copies?: number;
};

/** The calls that tell, and one entry of `PutEvents`, which fails in an answer of success. */
const SNS = 'sns:Publish';
const EVENTS = 'events:PutEvents';
const ENTRY = 'events:PutEntry';
const LOST = { kind: 'timeout-after-success', delayMs: 10, copies: 2 } as const;

const PASSING: Readonly<Record<Told, readonly (readonly [string, Ill])[]>> = {
  people: [
    ['a throttle', { kind: 'throttle' }],
    ['InternalError', { kind: 'error', code: 'InternalError', httpStatus: 500 }],
    ['ServiceUnavailable', { kind: 'error', code: 'ServiceUnavailable', httpStatus: 503 }],
    ['no answer in time, not executed', { kind: 'timeout-before', delayMs: 1_500 }],
    ['a reply that is lost, executed', LOST],
    ['a page in its place, executed', { kind: 'foreign-answer', copies: 2 }],
    ['a page in its place, not executed', { kind: 'foreign-instead' }],
  ],
  automation: [
    ['a throttle', { kind: 'throttle' }],
    ['InternalException', { kind: 'error', code: 'InternalError', httpStatus: 500 }],
    ['an entry that is throttled', { action: ENTRY, kind: 'throttle' }],
    ['an entry that failed inside', { action: ENTRY, kind: 'error', code: 'InternalFailure' }],
    ['a look at the bus without answer', { action: 'events:DescribeEventBus', kind: 'timeout-before', delayMs: 1_500 }],
    ['a reply that is lost, executed', LOST],
    ['a page in its place, executed', { kind: 'foreign-answer', copies: 2 }],
    ['a page in its place, not executed', { kind: 'foreign-instead' }],
  ],
};

/** What one sink meets, and what the other does at the same time: neither knows of the other. */
const PAIRS = PASSING.automation.flatMap(([events, bus], at) => {
  const [sns, topic] = PASSING.people[at] ?? ['nothing', null];
  return [[sns, events, topic, bus] as const];
});

describe('an ill that passes: everything is told, in order, under one id', () => {
  let cluster: ScenarioCluster;
  beforeAll(async () => {
    cluster = await started();
  });

  test.each(PAIRS)('SNS × %s, EventBridge × %s', async (_, _1, topic, bus) => {
    const ills = [...(topic ? [{ action: SNS, ...topic }] : []), { action: EVENTS, ...bus }];
    const struck = ills.map(({ copies: _2, ...ill }) => services.strike(ill));
    const ids = await news(cluster);
    await services.until(cluster, 'all is told', () => waiting(cluster, ids).length === 0);
    expect(struck.map((fired) => fired())).toEqual(ills.map(() => 1));
    await services.until(cluster, 'it came', () => copies('automation', ids).length === 2);
    const once = ids.map((id) => [id, 1]);
    const twice = [[ids[0], 2], ...once.slice(1)];
    expect(copies('people', ids)).toEqual(topic?.copies === 2 ? twice : once);
    expect(copies('automation', ids)).toEqual(bus.copies === 2 ? twice : once);
    expect(putAside(cluster)).toEqual([]);
    cluster.expectHealthy();
  });
});

interface Lasting {
  readonly begin: () => void;
  readonly end: () => void;
  /** The text of the problem has these: what the service said, and what to do. */
  readonly says: readonly RegExp[];
}

/** Credentials that are refused until somebody renews them, in the words of the service. */
const refused = (action: string, code: string, ...says: readonly RegExp[]): Lasting => ({
  begin: () => void services.strike({ action, kind: 'error', code, httpStatus: 403, times: 10_000 }),
  end: () => services.sim.clearFaults(),
  says: [new RegExp(`CLOUD_DENIED.*${code}`), ...says],
});
const [RENEW, CHECK] = [/the credentials have expired: renew them/, /check the access key, its secret and the Region/];
const lacking = (action: string, says: RegExp): Lasting => ({
  begin: () => services.sim.setDeniedActions([action]),
  end: () => services.sim.setDeniedActions([]),
  says: [/CLOUD_DENIED/, says],
});

const LASTING: readonly (readonly [Told, string, Lasting])[] = [
  ['people', 'a token that has expired', refused(SNS, 'ExpiredToken', RENEW)],
  ['people', 'a key that nobody knows', refused(SNS, 'InvalidClientTokenId', CHECK)],
  ['people', 'a wrong signature', refused(SNS, 'SignatureDoesNotMatch', CHECK)],
  ['people', 'a right that is missing', lacking(SNS, /AuthorizationError/)],
  [
    ...(['people', 'a topic that is gone'] as const),
    {
      begin: () => void services.sim.topics.remove('people'),
      end: () => services.makeTopic(),
      says: [/CLOUD_NOT_FOUND.*NotFound: Topic does not exist/],
    },
  ],
  ['automation', 'a token that has expired', refused(EVENTS, 'ExpiredTokenException', RENEW)],
  ['automation', 'a key that nobody knows', refused(EVENTS, 'UnrecognizedClientException', CHECK)],
  ['automation', 'a wrong signature', refused(EVENTS, 'InvalidSignatureException', CHECK)],
  ['automation', 'a right that is missing', lacking(EVENTS, /AccessDeniedException/)],
  ['automation', 'an entry that may not be put', refused(ENTRY, 'AccessDeniedException')],
  [
    ...(['automation', 'a bus that is gone'] as const),
    {
      begin: () => void services.sim.events.removeBus('ops'),
      end: () => void services.sim.events.addBus('ops'),
      says: [/CLOUD_NOT_FOUND.*ResourceNotFoundException/],
    },
  ],
];

describe('an ill that lasts is a problem with its remedy; the other sink goes on, and all is told when it ends', () => {
  let cluster: ScenarioCluster;
  beforeAll(async () => {
    cluster = await started();
  });

  test.each(LASTING)('%s: %s', async (told, _, { begin, end, says }) => {
    const other: Told = told === 'people' ? 'automation' : 'people';
    begin();
    const ids = await news(cluster);
    await services.until(cluster, 'told', () => problems(cluster).some(({ code }) => code === FAILING[told]));
    const problem = problems(cluster).find(({ code }) => code === FAILING[told]);
    for (const one of says) expect(problem?.text).toMatch(one);
    expect(problem?.remedy).toMatch(/understudy iam-policy/);
    expect(copies(told, ids)).toEqual([]);
    const once = ids.map((id) => [id, 1]);
    await services.until(cluster, 'the other has all', () => copies(other, ids).length === 2);
    expect(waiting(cluster, ids).map((one) => one.deliveredTo)).toEqual([[other], [other]]);
    end();
    await services.until(cluster, 'all is told', () => waiting(cluster, ids).length === 0);
    await services.until(cluster, 'it came', () => copies(told, ids).length === 2);
    expect(copies(told, ids)).toEqual(once);
    expect(copies(other, ids)).toEqual(once);
    await services.until(cluster, 'well again', () => problems(cluster).every(({ code }) => code !== FAILING[told]));
    cluster.expectHealthy();
  });
});

test('for longer than it is waited for: a dead letter with its remedy, sent again by an operator under its id', async () => {
  const cluster = await started(60_000);
  const fired = services.strike({ action: EVENTS, kind: 'error', code: 'ExpiredTokenException', times: 10_000 });
  const ids = await news(cluster);
  await services.until(cluster, 'given up', () => ids.every((id) => putAside(cluster).some((one) => one.id === id)));
  expect(fired()).toBeGreaterThan(0);
  const letter = putAside(cluster).find((one) => one.id === ids[0]);
  expect(letter).toMatchObject({ webhook: 'automation', error: expect.stringMatching(RENEW) });
  expect(problems(cluster).map((one) => one.code)).toContain('NOTICES_UNDELIVERED');
  expect(copies('people', ids)).toEqual(ids.map((id) => [id, 1]));
  services.sim.clearFaults();
  const again = { kind: 'resend-notice', webhook: 'automation', noticeId: ids[0] } as const;
  expect(await command(cluster, again)).toMatchObject({ kind: 'done' });
  await services.until(cluster, 'it came', () => copies('automation', ids).length > 0);
  expect(copies('automation', ids)).toEqual([[ids[0], 1]]);
  cluster.expectHealthy();
});

describe('another leader', () => {
  test('does not tell a sink what etcd says it has had; the other gets it from him', async () => {
    const cluster = await started();
    const fired = services.strike({ action: EVENTS, kind: 'throttle', times: 10_000 });
    const ids = await news(cluster);
    await services.until(cluster, 'half told', () =>
      waiting(cluster, ids).every((one) => one.deliveredTo.includes('people')),
    );
    const before = cluster.mustLead();
    cluster.kill(before);
    expect(fired()).toBeGreaterThan(0);
    services.sim.clearFaults();
    await services.until(cluster, 'another leads', () => cluster.leader() !== null && cluster.leader() !== before);
    await services.until(cluster, 'all is told', () => waiting(cluster, ids).length === 0);
    await services.until(cluster, 'it came', () => copies('automation', ids).length === 2);
    for (const told of BOTH) expect(copies(told, ids)).toEqual(ids.map((id) => [id, 1]));
  });

  test.each(BOTH)(
    'tells again, under the same id, what %s had taken when the leader died over the answer',
    async (told) => {
      const cluster = await started();
      const died: string[] = [];
      services.onAnswer = (_, sink) => {
        if (sink !== told || died.length > 0) return;
        died.push(cluster.mustLead().id);
        cluster.kill(cluster.mustLead());
      };
      const ids = await news(cluster);
      await services.until(cluster, 'all is told', () => died.length > 0 && waiting(cluster, ids).length === 0);
      await services.until(cluster, 'it came', () => copies('automation', ids).length === 2);
      expect(died).toHaveLength(1);
      expect(copies(told, ids)).toEqual([
        [ids[0], 2],
        [ids[1], 1],
      ]);
      expect(cluster.mustLead().id).not.toBe(died[0]);
    },
  );
});
