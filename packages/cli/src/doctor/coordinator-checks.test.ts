import { type ErrorCode, problemOf, type QueueAttributes } from '@understudy/shared';
import { CloudSim, inProcessTransport, seedInstance } from '@understudy/cloud-sim';
import { CoordinatorConfigSchema } from '@understudy/coordinator';
import { SystemClock } from '@understudy/shared/node';
import { SimClock } from '@understudy/shared/testing';
import { describe, expect, it, test } from 'vitest';
import { statusOf } from '../status.fixtures.ts';
import { judgeCertificate } from './checks/certificates.ts';
import { judgeClock } from './checks/clock.ts';
import { judgeDescriptors } from './checks/descriptors.ts';
import { judgeCompaction } from './checks/etcd-compaction.ts';
import { judgeLatency } from './checks/etcd-latency.ts';
import { judgeMembers } from './checks/etcd-members.ts';
import { judgeSpace } from './checks/etcd-space.ts';
import { judgeEvents } from './checks/events.ts';
import { judgeStoredKeys } from './checks/stored-keys.ts';
import { judgeInstanceHooks } from './checks/instance-hooks.ts';
import { enrolment, type EnrolmentFacts, judgeEnrolment } from './checks/enrolment.ts';
import { enrolmentAccount, judgeEnrolmentAccount } from './checks/enrolment-account.ts';
import { judgeSinks } from './checks/sinks.ts';
import { judgeFiles } from './checks/files.ts';
import { judgeKeys } from './checks/keys.ts';
import { judgeNames } from './checks/names.ts';
import { judgePeers } from './checks/peers.ts';
import { judgePermissions } from './checks/permissions.ts';
import { judgeBuffer } from './checks/receive-buffer.ts';
import { judgeRunning } from './checks/running.ts';
import { judgeSockets } from './checks/sockets.ts';
import { namedFiles } from './config-files.ts';
import { COORDINATOR_CHECKS } from './coordinator-checks.ts';
import type { CoordinatorHost } from './coordinator-host.ts';
import { dryRunInput } from './dry-runs.ts';
import type { EtcdFacts } from './etcd-facts.ts';
import type { Finding, Severity } from './finding.ts';
import type { PeerFacts } from './peers.ts';

const NOW = Date.UTC(2026, 10, 28, 12, 0, 0);
const DAY_MS = 86_400_000;

const etcd = (over: Partial<EtcdFacts> = {}): EtcdFacts => ({
  ...{
    host: 'http://e1:2379',
    silent: null,
    version: '3.5.30',
    hasLeader: true,
    dbBytes: 1_000,
    quotaBytes: 1_000_000,
  },
  ...{ alarms: [], members: 1, revision: 200, compactRevision: 150, writeMs: 3, fsyncMs: 1, clockAheadMs: 0, ...over },
});
const members = (over: Partial<EtcdFacts>, allowUnsafeVersion: string | null = null) =>
  judgeMembers({
    etcd: [etcd({ members: 3, ...over }), etcd({ members: 3 }), etcd({ members: 3 })],
    allowUnsafeVersion,
  });
const peer = (over: Partial<PeerFacts> = {}): PeerFacts => ({
  ...{ coordinatorId: 'c2', az: 'b', httpUrl: 'http://c2:8080', udpEndpoint: 'c2:7946', httpProblem: null },
  ...{ udp: 'no-refusal', keys: null, clockAheadMs: 0, ...over },
});
const queue = (over: Partial<QueueAttributes> = {}) => ({
  kind: 'told' as const,
  attributes: {
    ...{ arn: 'arn:q', waiting: 3, inFlight: 0, visibilityTimeoutMs: 30_000 },
    ...{ deadLetter: { arn: 'arn:d', afterReceives: 5 }, ...over },
  },
});
const ENROLS: EnrolmentFacts = {
  ...{ region: 'eu-west-1', accounts: ['123456789012'], certificateFile: null, signersProblem: null },
  ...{ certificateUntilMs: null, url: 'https://c1:8443', nowWallMs: NOW },
};

const topicSink = (code: string | null, subscriptions = 1, kmsKey: string | null = null) => {
  const arn = 'arn:aws:sns:us-east-1:123456789012:news';
  const topic = { arn, isFifo: false, kmsKey, confirmedSubscriptions: subscriptions };
  const refusal = code === null ? null : { code, text: 'x' };
  return [{ kind: 'topic' as const, name: 'news', arn, topic: code === null ? topic : null, refusal }];
};
const storedKey = (code: ErrorCode | null = null) => {
  const place = { store: 'ssmParameter', reference: '/m' } as const;
  return code === null
    ? { kind: 'read' as const, place, fingerprint: 'ab12' }
    : { kind: 'refused' as const, place, code, text: 'want 64 hex characters' };
};
const refusedQueue = (code: string) => ({ kind: 'refused' as const, code, text: 'x' });
const key = (fingerprint: string): ReadonlyMap<number, string> => new Map([[1, fingerprint]]);
const file = (mode: number | null, isSecret = true) => [{ field: 'keys.0.file', path: 'k', isSecret, mode }];
const socket = (binding: 'free' | 'taken' | { problem: string }, running: boolean) => [
  { what: 'UDP', address: ':7946', binding, running },
];
const certificate = (untilMs: number | null) => [
  judgeCertificate({ field: 'f', path: 'c.pem', fromMs: NOW - 60 * DAY_MS, untilMs, problem: 'x' }, NOW),
];
const call = (answer: 'allowed' | 'denied' | 'untried' | { other: string }) => [
  { action: 'ec2:StopInstances', why: 'fences a failed member', answer },
];
const notEnrolled = [{ instanceId: 'i-1', code: 'TagInvalid', text: 'x', remedy: 'correct it' }] as never;

/** What each check is there to find, and what it says where all is well. */
const CASES: readonly (readonly [check: string, what: string, readonly Finding[], Severity, RegExp])[] = [
  ['files', 'a key that others can read', judgeFiles(file(0o640)), 'fault', /chmod 600 k/],
  ['files', 'a file that is not there', judgeFiles(file(null)), 'fault', /not there/],
  ['files', 'a certificate that others can change', judgeFiles(file(0o666, false)), 'warning', /chmod go-w/],
  ['files', 'narrow modes', judgeFiles(file(0o600)), 'ok', /narrow/],
  [
    'clock',
    'a clock far off',
    judgeClock({ others: [{ whose: 'e1', aheadMs: -60_000 }], synchronised: true }),
    'fault',
    /behind ours/,
  ],
  ['clock', 'no NTP', judgeClock({ others: [], synchronised: false }), 'warning', /not kept by NTP/],
  [
    'clock',
    'a second is no difference',
    judgeClock({ others: [{ whose: 'e1', aheadMs: 900 }], synchronised: true }),
    'ok',
    /same time/,
  ],
  [
    'names',
    'an unknown name',
    judgeNames([{ name: 'e9', addresses: [], problem: 'ENOTFOUND' }]),
    'fault',
    /getent hosts e9/,
  ],
  ['names', 'a known name', judgeNames([{ name: 'e1', addresses: ['10.0.0.1'], problem: null }]), 'ok', /10\.0\.0\.1/],
  ['addresses', 'a port that another process has', judgeSockets(socket('taken', false)), 'fault', /another process/],
  [
    'addresses',
    'an address that is not ours',
    judgeSockets(socket({ problem: 'EADDRNOTAVAIL' }, false)),
    'fault',
    /EADDRNOTAVAIL/,
  ],
  ['addresses', 'a coordinator that does not hear', judgeSockets(socket('free', true)), 'fault', /bound by nobody/],
  ['addresses', 'a free port', judgeSockets(socket('free', false)), 'ok', /free/],
  ['addresses', 'its own port', judgeSockets(socket('taken', true)), 'ok', /by the coordinator/],
  ['etcd members', 'an old version', members({ version: '3.5.20' }), 'fault', /3\.5\.20/],
  [
    'etcd members',
    'an old version that is allowed',
    members({ version: '3.5.20' }, 'we test it'),
    'warning',
    /we test it/,
  ],
  ['etcd members', 'a silent member', members({ silent: 'ECONNREFUSED', version: null }), 'fault', /ECONNREFUSED/],
  ['etcd members', 'no quorum', members({ hasLeader: false }), 'fault', /quorum/],
  [
    'etcd members',
    'a cluster of one',
    judgeMembers({ etcd: [etcd()], allowUnsafeVersion: null }),
    'warning',
    /run three/,
  ],
  ['etcd members', 'a member that is not named', members({ members: 5 }), 'warning', /names 3/],
  ['etcd members', 'an even number', members({ members: 4 }), 'warning', /odd number/],
  ['etcd members', 'three that are well', members({}), 'ok', /3\.5\.30/],
  ['etcd space', 'the alarm NOSPACE', judgeSpace([etcd({ alarms: ['NOSPACE'] })]), 'fault', /alarm disarm/],
  ['etcd space', 'the alarm CORRUPT', judgeSpace([etcd({ alarms: ['CORRUPT'] })]), 'fault', /hashkv/],
  ['etcd space', 'nearly full', judgeSpace([etcd({ dbBytes: 900_000 })]), 'warning', /quota-backend-bytes/],
  ['etcd space', 'an unknown quota', judgeSpace([etcd({ quotaBytes: null })]), 'note', /not known/],
  [
    'etcd latency',
    'no write',
    judgeLatency({ etcd: [etcd({ writeMs: null })], callTimeoutMs: 1_500 }),
    'fault',
    /takes no write/,
  ],
  [
    'etcd latency',
    'slow writes',
    judgeLatency({ etcd: [etcd({ writeMs: 900 })], callTimeoutMs: 1_500 }),
    'warning',
    /900 ms/,
  ],
  [
    'etcd latency',
    'a slow disk',
    judgeLatency({ etcd: [etcd({ fsyncMs: 40 })], callTimeoutMs: 1_500 }),
    'warning',
    /40\.0 ms/,
  ],
  [
    'etcd compaction',
    'nobody compacts',
    judgeCompaction([etcd({ revision: 500_000, compactRevision: -1 })]),
    'warning',
    /etcdctl compact 500000/,
  ],
  ['etcd compaction', 'compacted', judgeCompaction([etcd()]), 'ok', /50 old revisions/],
  [
    'coordinators',
    'one that does not answer',
    judgePeers([peer({ httpProblem: 'ECONNREFUSED' })], 'c1'),
    'fault',
    /open the TCP port/,
  ],
  [
    'coordinators',
    'one that does not hear',
    judgePeers([peer({ udp: 'refused' })], 'c1'),
    'fault',
    /nothing listens at c2:7946/,
  ],
  [
    'coordinators',
    'all in one zone',
    judgePeers([peer(), peer({ coordinatorId: 'c3' })], 'c1'),
    'warning',
    /three zones/,
  ],
  ['coordinators', 'none other', judgePeers([], 'c1'), 'note', /was not looked at/],
  [
    'keys',
    'another secret',
    judgeKeys({ own: key('aa'), others: new Map([['c2', key('bb')]]) }),
    'fault',
    /another secret for key id 1/,
  ],
  [
    'keys',
    'a missing key',
    judgeKeys({ own: key('aa'), others: new Map([['c2', new Map()]]) }),
    'warning',
    /does not accept/,
  ],
  ['keys', 'the same keys', judgeKeys({ own: key('aa'), others: new Map([['c2', key('aa')]]) }), 'ok', /same keys/],
  [
    ...(['running coordinators', 'its problems'] as const),
    judgeRunning({ status: statusOf({ problems: [problemOf('STORE_NOT_COMPACTED', 'old')] }), notEnrolled: [] }),
    ...(['fault', /STORE_NOT_COMPACTED/] as const),
  ],
  [
    'running coordinators',
    'wrong tags',
    judgeRunning({ status: statusOf({}), notEnrolled }),
    'warning',
    /not enrolled: TagInvalid/,
  ],
  [
    'running coordinators',
    'nobody leads',
    judgeRunning({ status: statusOf({ leader: null }), notEnrolled: [] }),
    'fault',
    /nobody leads/,
  ],
  ['running coordinators', 'a stranger', judgeRunning('refused'), 'note', /UNDERSTUDY_TOKEN_FILE/],
  ['running coordinators', 'none runs', judgeRunning(null), 'note', /no coordinator runs/],
  ['permissions', 'a denied call', judgePermissions(call('denied'), null), 'fault', /understudy iam-policy/],
  ['permissions', 'no EC2', judgePermissions(call({ other: 'timeout' }), null), 'warning', /could not be tried/],
  ['permissions', 'what was not tried', judgePermissions(call('untried'), null), 'note', /--try-member/],
  ['events', 'events that are off', judgeEvents({ kind: 'none' }), 'note', /queueUrl is not set/],
  ['events', 'a queue that can be asked', judgeEvents(queue()), 'ok', /3 waiting/],
  ['events', 'no dead letters', judgeEvents(queue({ deadLetter: null })), 'warning', /no dead letters/],
  ['events', 'a thousand that wait', judgeEvents(queue({ waiting: 1_000 })), 'warning', /nobody reads them/],
  ['events', 'a closed queue', judgeEvents(refusedQueue('CLOUD_DENIED')), 'fault', /iam-policy --event-queue/],
  ['events', 'no such queue', judgeEvents(refusedQueue('CLOUD_NOT_FOUND')), 'fault', /names no queue/],
  ['events', 'no way to SQS', judgeEvents(refusedQueue('CLOUD_UNAVAILABLE')), 'warning', /could not be asked/],
  ['keys in stores', 'files only', judgeStoredKeys([]), 'note', /files only/],
  ['keys in stores', 'one that can be read', judgeStoredKeys([storedKey()]), 'ok', /\(ab12\)/],
  [
    'keys in stores',
    'a closed one',
    judgeStoredKeys([storedKey('CLOUD_DENIED')]),
    'fault',
    /iam-policy --parameter \/m/,
  ],
  ['keys in stores', 'none there', judgeStoredKeys([storedKey('CLOUD_NOT_FOUND')]), 'fault', /put-parameter/],
  ['keys in stores', 'no key', judgeStoredKeys([storedKey('KEY_INVALID')]), 'fault', /64 hex/],
  ['keys in stores', 'no way there', judgeStoredKeys([storedKey('CLOUD_UNAVAILABLE')]), 'warning', /could not be read/],
  ['hooks on instances', 'none', judgeInstanceHooks({ kind: 'none' }), 'note', /no hooks.commands/],
  [
    ...(['hooks on instances', 'no right'] as const),
    judgeInstanceHooks({ kind: 'refused', code: 'CLOUD_DENIED', text: 'no' }),
    ...(['fault', /iam-policy --run-commands/] as const),
  ],
  [
    ...(['hooks on instances', 'no way there'] as const),
    judgeInstanceHooks({ kind: 'refused', code: 'CLOUD_UNAVAILABLE', text: 'no' }),
    ...(['warning', /could not be asked/] as const),
  ],
  [
    ...(['hooks on instances', 'a named instance without its agent'] as const),
    judgeInstanceHooks({ kind: 'told', instances: [{ id: 'i-0a', agent: null }], wallMs: NOW }),
    ...(['warning', /shows no agent of i-0a/] as const),
  ],
  [
    ...(['hooks on instances', 'what is told of one proves nothing'] as const),
    judgeInstanceHooks({
      ...{ kind: 'told', wallMs: NOW },
      instances: [{ id: 'i-0a', agent: { instanceId: 'i-0a', ping: 'Online', lastPingAtWallMs: NOW - 120_000 } }],
    }),
    ...(['note', /no proof of anything/] as const),
  ],
  ['enrolment', 'no agent enrols', judgeEnrolment(null), 'note', /no agent gets its key/],
  ['enrolment', 'well', judgeEnrolment(ENROLS), 'ok', /of eu-west-1 are checked with .* for 123456789012/],
  [
    ...(['enrolment', 'no certificate of this Region'] as const),
    judgeEnrolment({ ...ENROLS, signersProblem: 'no certificate of AWS for Region il-central-1' }),
    ...(['fault', /cannot be checked: no certificate of AWS/] as const),
  ],
  [
    ...(['enrolment', 'a certificate that ended'] as const),
    judgeEnrolment({ ...ENROLS, certificateFile: '/aws.pem', certificateUntilMs: NOW - DAY_MS }),
    ...(['warning', /\/aws.pem ended on/] as const),
  ],
  [
    ...(['enrolment', 'agents sent to an address without TLS'] as const),
    judgeEnrolment({ ...ENROLS, url: 'http://c1:8080' }),
    ...(['warning', /over TLS only/] as const),
  ],
  [
    ...(['enrolment account', 'the account of the instances'] as const),
    judgeEnrolmentAccount({ accounts: ['123456789012'], own: '123456789012' }),
    ...(['ok', /answers of account 123456789012/] as const),
  ],
  [
    ...(['enrolment account', 'another account'] as const),
    judgeEnrolmentAccount({ accounts: ['999999999999'], own: '123456789012' }),
    ...(['fault', /every agent is refused: .*123456789012, .* names 999999999999/] as const),
  ],
  [
    ...(['enrolment account', 'an account beside it'] as const),
    judgeEnrolmentAccount({ accounts: ['123456789012', '999999999999'], own: '123456789012' }),
    ...(['note', /999999999999, of which EC2 shows nothing/] as const),
  ],
  [
    ...(['enrolment account', 'no instance at all'] as const),
    judgeEnrolmentAccount({ accounts: ['123456789012'], own: null }),
    ...(['note', /not known/] as const),
  ],
  ['sinks', 'no topic and no bus', judgeSinks([]), 'note', /no topic and no bus/],
  ['sinks', 'a topic that can be told', judgeSinks(topicSink(null)), 'ok', /can be told/],
  ['sinks', 'a topic nobody hears', judgeSinks(topicSink(null, 0)), 'warning', /nobody has subscribed/],
  ['sinks', 'a closed topic', judgeSinks(topicSink('CLOUD_DENIED')), 'fault', /is closed/],
  ['sinks', 'no such topic', judgeSinks(topicSink('CLOUD_NOT_FOUND')), 'fault', /does not exist/],
  ['sinks', 'no way to SNS', judgeSinks(topicSink('CLOUD_UNAVAILABLE')), 'warning', /could not be asked/],
  ['permissions', 'an allowed call', judgePermissions(call('allowed'), 'i-1'), 'ok', /StopInstances/],
  ['certificates', 'one that ended', certificate(NOW - DAY_MS), 'fault', /ended on/],
  ['certificates', 'one that ends soon', certificate(NOW + 5 * DAY_MS), 'warning', /ends in 5 days/],
  ['certificates', 'one that is none', certificate(null), 'fault', /cannot be read/],
  ['certificates', 'a good one', certificate(NOW + 90 * DAY_MS), 'ok', /valid for 90 days/],
  [
    ...(['receive buffer', 'a small buffer'] as const),
    judgeBuffer({ wantedBytes: 4_194_304, givenBytes: 212_992, rmemMaxBytes: 212_992 }),
    ...(['warning', /sysctl -w net\.core\.rmem_max=4194304/] as const),
  ],
  ['file descriptors', 'a low limit', judgeDescriptors({ limit: 256, connections: 256 }), 'warning', /LimitNOFILE/],
];

test.each(CASES)('%s: %s', (_, __, findings, severity, text) => {
  const found = findings.find((one) => one.severity === severity) ?? expect.fail(JSON.stringify(findings));
  expect(JSON.stringify(found)).toMatch(text);
  if (severity === 'fault' || severity === 'warning') expect(found.remedy).toBeTruthy();
});

describe('the checks of a coordinator', () => {
  it('each have a case in which they find what they are for', () => {
    // What quotas says is always the same.
    const names = COORDINATOR_CHECKS.map(({ name }) => name).filter((name) => name !== 'quotas');
    const found = CASES.filter(([, , , severity]) => severity !== 'ok').map(([name]) => name);
    expect(new Set(found)).toEqual(new Set(names));
  });

  it('finds every file of a configuration, and which of them are secret', () => {
    const config = { keys: [{ id: 1, file: 'k' }], etcd: { tls: { caFile: 'ca', keyFile: 'key' }, passwordFile: 'p' } };
    expect(namedFiles(config)).toEqual([
      { field: 'keys.0.file', path: 'k', isSecret: true },
      { field: 'etcd.tls.caFile', path: 'ca', isSecret: false },
      { field: 'etcd.tls.keyFile', path: 'key', isSecret: true },
      { field: 'etcd.passwordFile', path: 'p', isSecret: true },
    ]);
  });

  it('tries nothing that changes something unless an instance was chosen for it', () => {
    expect(dryRunInput('ec2:StopInstances', null)).toBeNull();
    expect(dryRunInput('ec2:TerminateInstances', { instanceId: 'i-1' })).toBeNull();
    expect(dryRunInput('ec2:RunInstances', { instanceId: 'i-1' })).toBeNull();
    expect(dryRunInput('ec2:StopInstances', { instanceId: 'i-1' })).toEqual({ InstanceIds: ['i-1'] });
    expect(dryRunInput('ec2:DescribeVolumes', null)).toEqual({});
  });
});

test.each([
  ['eu-west-1', 'ok', /of eu-west-1 are checked with the certificate of this build/],
  ['il-central-1', 'fault', /no certificate of AWS for Region il-central-1/],
])('the certificates of Region %s are looked for as a coordinator does: %s', async (region, severity, text) => {
  const http = { host: '10.0.0.1', tls: { certFile: '/c', keyFile: '/k', caFile: '/a' } };
  const config = CoordinatorConfigSchema.parse({
    ...{ id: 'c1', az: 'a', udp: { host: '10.0.0.1' }, etcd: { hosts: ['http://127.0.0.1:2379'] }, http },
    ...{ keys: [{ id: 1, file: '/k' }], aws: { region }, enrolment: { accounts: ['123456789012'] } },
  });
  const host = { config, environment: {}, clock: new SimClock() } as unknown as CoordinatorHost;
  expect(await enrolment.run(host)).toMatchObject([{ severity, text: expect.stringMatching(text) as string }]);
});

test('the account is the one of the instances that EC2 shows, and nobody is asked where nobody enrols', async () => {
  const sim = new CloudSim({ clock: new SystemClock() });
  const send = inProcessTransport(sim, { reader: 'doctor', userAgent: 'doctor' });
  const host = (enrolment: object, ec2 = () => Promise.resolve(send)) =>
    ({ config: { ...enrolment }, ec2 }) as unknown as CoordinatorHost;
  const enrols = { enrolment: { accounts: ['123456789012'] } };
  expect(await enrolmentAccount.run(host(enrols))).toMatchObject([{ severity: 'note' }]);
  seedInstance(sim);
  expect(await enrolmentAccount.run(host(enrols))).toMatchObject([
    { severity: 'ok', text: expect.stringContaining('account 123456789012') as string },
  ]);
  const never = () => Promise.reject(new Error('nobody is asked'));
  expect(await enrolmentAccount.run(host({}, never))).toEqual([]);
});
