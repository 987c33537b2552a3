import { AgentConfigSchema } from '@understudy/agent';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SimClock } from '@understudy/shared/testing';
import { describe, expect, it, test } from 'vitest';
import { type AgentHost, propertiesIn, type UnitProperties } from '../agent-host.ts';
import type { Finding } from '../finding.ts';
import { judgeActivation } from './activation.ts';
import { AGENT_CHECKS } from './agent-checks.ts';
import { agentEnrolment, type AgentEnrolmentFacts, judgeAgentEnrolment } from './enrolment.ts';
import { enrolmentDocument, judgeEnrolmentDocument } from './enrolment-document.ts';
import { judgeHost } from './host.ts';
import { judgeService } from './service.ts';
import { judgeWorkloads } from './workloads.ts';

const TARGET = 'understudy-active.target';
const FILE = '/run/understudy/active';
const said = (findings: readonly Finding[]): string =>
  findings.map(({ severity, text }) => `${severity}: ${text}`).join('\n');

const FOLLOWS: UnitProperties = {
  LoadState: 'loaded',
  Requisite: TARGET,
  PartOf: TARGET,
  After: `basic.target ${TARGET}`,
  Text: `[Unit]\nAssertPathExists=${FILE}\n`,
  WantedBy: TARGET,
  KillMode: 'mixed',
};
const TARGET_UNIT: UnitProperties = { LoadState: 'loaded', Text: `AssertPathExists=${FILE}` };

const workload = (over: UnitProperties = {}, targetUnit: UnitProperties = TARGET_UNIT) =>
  judgeWorkloads({
    target: TARGET,
    assertFile: FILE,
    targetUnit,
    workloads: [{ name: 'db.service', unit: { ...FOLLOWS, ...over } }],
  });

describe('a workload’s unit', () => {
  it('that follows the target is well', () => {
    expect(said(workload())).toBe(`ok: db.service follows ${TARGET}`);
  });

  test.each<[string, UnitProperties, RegExp]>([
    ['is not there', { LoadState: 'not-found' }, /^fault: .*knows no such unit/],
    ['starts by hand', { Requisite: '' }, /^fault: .*starts by hand on a fenced machine/m],
    ['goes on', { PartOf: '' }, /^fault: .*may go on when the target stops/m],
    ['is not ordered', { After: 'basic.target' }, /^fault: .*not ordered after/m],
    ['asserts nothing', { Text: '' }, /^warning: .*does not assert/m],
    ['leaves its children', { KillMode: 'process' }, /^fault: .*may leave processes behind .*KillMode=process/m],
    ['is not killed at all', { KillMode: 'none' }, /^fault: .*KillMode=none/m],
    ['pulls the target in', { BindsTo: TARGET }, /^fault: .*pulls the target in by BindsTo=/m],
    ['is not wanted', { WantedBy: '' }, /^fault: .*is not started with the target/m],
    ['is wanted elsewhere, and kept down', { WantedBy: `${TARGET} multi-user.target` }, /^ok: .*keeps it down/m],
    [
      'is wanted elsewhere, and not kept down',
      { WantedBy: `${TARGET} multi-user.target`, Requisite: '' },
      /^warning: .*also wanted by multi-user/m,
    ],
  ])('%s', (_name, over, expected) => {
    expect(said(workload(over))).toMatch(expected);
  });

  test.each<[string, UnitProperties, RegExp]>([
    ['not there', { LoadState: 'not-found' }, /^fault: understudy-active.target is not installed/],
    ['without its assertion', { LoadState: 'loaded' }, /^fault: .*anybody can start it/],
    ['wanted at boot', { ...TARGET_UNIT, WantedBy: 'multi-user.target' }, /^fault: .*fails at every boot/],
  ])('of a target that is %s', (_name, unit, expected) => {
    expect(said(workload({}, unit))).toMatch(expected);
  });

  it('is missed where none is named', () => {
    expect(said(judgeWorkloads({ target: null, assertFile: FILE, targetUnit: null, workloads: [] }))).toMatch(
      /^warning: no activation.systemdTarget/,
    );
    expect(said(judgeWorkloads({ target: TARGET, assertFile: FILE, targetUnit: TARGET_UNIT, workloads: [] }))).toMatch(
      /^warning: activation.workloads is empty/,
    );
  });
});

describe('what runs', () => {
  const units = (state: string) => [
    { name: TARGET, state },
    { name: 'db.service', state },
  ];

  test.each<[string, Parameters<typeof judgeActivation>[0], RegExp]>([
    ['serves as it may', { state: 'active', asserted: true, units: units('active') }, /^ok: active, and 2 units/],
    ['is down as it has to be', { state: 'fenced', asserted: false, units: units('inactive') }, /^ok: fenced/],
    [
      'serves on a fenced machine',
      { state: 'fenced', asserted: false, units: units('active') },
      /^fault: this instance may not serve \(fenced\)/,
    ],
    [
      'serves although nobody said anything',
      { state: null, asserted: false, units: units('deactivating') },
      /^fault: .*nothing said/,
    ],
    [
      'is down on the active machine',
      { state: 'active', asserted: true, units: units('failed') },
      /^fault: this instance is to serve/,
    ],
    [
      'may start although the agent says no',
      { state: 'standby', asserted: true, units: units('inactive') },
      /^warning: .*assert file is there/,
    ],
  ])('%s', (_name, facts, expected) => {
    expect(said(judgeActivation(facts))).toMatch(expected);
  });
});

describe('the agent’s service', () => {
  const RUNS: UnitProperties = {
    ...{ LoadState: 'loaded', UnitFileState: 'enabled', ActiveState: 'active', Type: 'notify', WatchdogUSec: '1min' },
    ...{ NRestarts: '0', StatusText: 'a/b: active, 3 of 3 coordinators answer', ProtectHome: 'yes', PrivateTmp: 'yes' },
  };
  test.each<[string, UnitProperties, readonly string[], RegExp]>([
    ['runs and is heard', {}, ['/data'], /^ok: the agent says: a\/b: active, 3 of 3/],
    ['is not installed', { LoadState: 'not-found' }, [], /^fault: .*not installed/],
    ['does not start at boot', { UnitFileState: 'disabled' }, [], /^fault: .*does not start at boot/],
    ['does not run', { ActiveState: 'failed' }, [], /^fault: .*does not run \(failed\)/],
    ['is heard by some', { StatusText: 'a/b: active, 1 of 3 coordinators answer' }, [], /^warning/],
    [
      'is heard by nobody',
      { StatusText: 'a/b: standby, 0 of 3 coordinators answer' },
      [],
      /^fault: no coordinator answers/,
    ],
    [
      'waits for its key',
      { StatusText: 'a/b: waits for its key' },
      [],
      /^warning: the agent says: a\/b: waits for its key/,
    ],
    ['cannot see what lies there', {}, ['/run/user/7'], /^fault: .*sandbox hides \/run\/user\/7/],
    ['has a /tmp of its own', {}, ['/var/tmp/x'], /^fault: .*\/tmp of its own/],
    ['is not watched', { WatchdogUSec: '0' }, [], /^warning: systemd does not watch/],
    ['dies again and again', { NRestarts: '7' }, [], /^warning: .*again 7 times/],
  ])('%s', (_name, over, paths, expected) => {
    expect(said(judgeService({ unit: { ...RUNS, ...over }, paths }))).toMatch(expected);
  });
});

describe('key, identity and watchdog', () => {
  const WELL = { files: [{ path: '/k', mode: 0o600 }], instanceId: 'i-1', watchdog: null, watchdogLimitMs: 10_000 };
  const device = { device: '/dev/watchdog', isThere: true, timeoutS: 10 };
  test.each<[string, Partial<Parameters<typeof judgeHost>[0]>, RegExp]>([
    ['are well', { watchdog: device }, /^ok: \/k is.*\nok: the metadata.*\nok: \/dev\/watchdog resets after 10 s$/],
    ['a key that others read', { files: [{ path: '/k', mode: 0o644 }] }, /^fault: \/k has mode 644/],
    ['a key that is not there', { files: [{ path: '/k', mode: null }] }, /^fault: \/k cannot be read/],
    ['no metadata service', { instanceId: null }, /^fault: the metadata service does not answer/m],
    ['no watchdog', { watchdog: { ...device, isThere: false } }, /^fault: there is no \/dev\/watchdog/m],
    [
      'a watchdog that waits too long',
      { watchdog: { ...device, timeoutS: 60 } },
      /^fault: the watchdog resets after 60 s/m,
    ],
    ['a watchdog that says nothing', { watchdog: { ...device, timeoutS: null } }, /^warning: how long/m],
  ])('%s', (_name, over, expected) => {
    expect(said(judgeHost({ ...WELL, ...over }))).toMatch(expected);
  });
});

describe('a key by identity', () => {
  const url = 'https://c1:8443';
  const WELL: AgentEnrolmentFacts = {
    ...{ authorityProblem: null, coordinators: [{ url, problem: null }], hasKey: true },
    secret: { path: '/s', mode: 0o600 },
  };
  const silent = { url: 'https://c2:8443', problem: 'certificate has expired' };
  test.each<[string, AgentEnrolmentFacts | null, RegExp]>([
    ['is not wanted', null, /^note: the key does not come by identity/],
    ['can be had', WELL, /^ok: all 1 coordinators .*\nok: it has a key$/],
    ['without an authority', { ...WELL, authorityProblem: 'ENOENT' }, /^fault: key.caFile: ENOENT/],
    ['where nobody answers', { ...WELL, coordinators: [silent] }, /^fault: no coordinator .*c2:8443: certificate/],
    ['where one is silent', { ...WELL, coordinators: [...WELL.coordinators, silent] }, /^warning: not every/],
    ['that others could ask for', { ...WELL, secret: { path: '/s', mode: 0o644 } }, /^fault: \/s has mode 644/m],
    ['that is not there yet', { ...WELL, hasKey: false }, /^warning: it has no key yet/m],
  ])('%s', (_name, facts, expected) => {
    expect(said(judgeAgentEnrolment(facts))).toMatch(expected);
  });
});

it('a coordinator that is not there, and an authority that is not, are found by asking', async () => {
  const find = (more: object) => {
    const key = { id: 1, enrolAt: ['https://127.0.0.1:10'], ...more };
    const config = AgentConfigSchema.parse({ member: 'a/b', key, coordinators: ['c:1'], rootDir: '/nowhere' });
    return agentEnrolment.run({ config, clock: new SimClock() } as unknown as AgentHost);
  };
  expect(said(await find({}))).toMatch(/^fault: no coordinator .*127\.0\.0\.1:10: .*ECONNREFUSED[^]*it has no key yet/);
  expect(said(await find({ caFile: '/ca.pem' }))).toMatch(/^fault: key.caFile: .*ENOENT.*\/nowhere\/ca.pem/);
});

describe('the document that it would show', () => {
  const document = { accountId: '123456789012', region: 'eu-west-1', instanceId: 'i-1' };
  test.each<[string, Parameters<typeof judgeEnrolmentDocument>[0], RegExp]>([
    ['is not wanted', null, /^$/],
    ['is there', { document, isSigned: true }, /^ok: .* i-1 of account 123456789012 .*\nnote: enrolment.accounts/],
    ['is not there', { document: null, isSigned: true }, /^fault: .* no identity document/],
    ['is not signed', { document, isSigned: false }, /^fault: .* no signature of it \(rsa2048\)/],
  ])('%s', (_name, facts, expected) => {
    expect(said(judgeEnrolmentDocument(facts))).toMatch(expected);
  });

  it('is read by IMDSv2', async () => {
    const says: Readonly<Record<string, string>> = {
      '/latest/api/token': 'token',
      '/latest/dynamic/instance-identity/document': JSON.stringify(document),
      '/latest/dynamic/instance-identity/rsa2048': 'MIAG',
    };
    const server = createServer((request, response) => {
      const isAllowed = request.method === 'PUT' || request.headers['x-aws-ec2-metadata-token'] === 'token';
      response.writeHead(isAllowed ? 200 : 401).end(isAllowed ? says[request.url ?? ''] : '');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const find = (endpoint: string) => {
      const key = { id: 1, enrolAt: ['https://c1:8443'] };
      const config = AgentConfigSchema.parse({ member: 'a/b', key, coordinators: ['c:1'] });
      const environment = { AWS_EC2_METADATA_SERVICE_ENDPOINT: endpoint };
      return enrolmentDocument.run({ config, environment } as unknown as AgentHost);
    };
    expect(said(await find(url))).toMatch(/^ok: its identity document says i-1/);
    server.close();
    expect(said(await find('http://127.0.0.1:10'))).toMatch(/^fault: the metadata service has no identity document/);
  });
});

it('reads what systemctl prints; a name that comes again adds a line', () => {
  expect(propertiesIn('A=1\nB=x=y\nA=2\n\nnothing\n')).toEqual({ A: '1\n2', B: 'x=y' });
});

it('every check has a name of its own', () => {
  expect(new Set(AGENT_CHECKS.map(({ name }) => name)).size).toBe(AGENT_CHECKS.length);
});
