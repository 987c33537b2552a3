import { openUdpSocket } from '@understudy/agent';
import { TestCoordinator, TestMetadataService } from '@understudy/agent/testing';
import { SystemClock, until } from '@understudy/shared/node';
import { dirname } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AGENT_NODE_FLAGS, bundleAgent } from '../../../scripts/bundle-agent.mjs';
import { Machine, makeTree, missingForMachines } from './machine.ts';

const clock = new SystemClock();
const missing = missingForMachines() ?? makeTree();
const TARGET = 'understudy-active.target';
const ASSERT = '/run/understudy/active';
const FOLLOWS = `Requisite=${TARGET}\nPartOf=${TARGET}\nAfter=${TARGET}\nAssertPathExists=${ASSERT}\n`;
/**
 * What a workload gets to stop in order, in ms. The default of 30 s would only make the test long.
 */
const STOP_MS = 3_000;

const service = (follows: string, exec: string, more = '') =>
  `[Unit]\n${follows}\n[Service]\nExecStart=${exec}\n${more}\n[Install]\nWantedBy=${TARGET}\n`;
const IGNORES_SIGTERM = '/bin/sh -c "trap \\"\\" TERM; while :; do sleep 1; done"';

describe.skipIf(missing !== null)(`the agent and a real systemd${missing === null ? '' : ` (${missing})`}`, () => {
  let machine: Machine;
  let coordinator: TestCoordinator;
  let imds: TestMetadataService;

  beforeAll(async () => {
    const bundle = await bundleAgent();
    imds = await TestMetadataService.open();
    coordinator = new TestCoordinator(await openUdpSocket({ family: 4, host: '127.0.0.1' }), 'c1');
    machine = new Machine({ '/opt/agent': dirname(bundle), '/opt/node': dirname(process.execPath) });
    const config = {
      member: 'shop/db-1',
      key: { id: 1, hex: '0b'.repeat(32) },
      coordinators: [`127.0.0.1:${coordinator.socket.localPort}`],
      heartbeat: { intervalMs: 100 },
      checks: { network: { enabled: false } },
      activation: {
        systemdTarget: TARGET,
        workloads: ['db.service', 'stubborn.service', 'linked.service'],
        timeoutMs: STOP_MS,
        onStuck: 'report',
      },
    };
    machine.write('/etc/understudy/agent.json', JSON.stringify(config));
    const command = [
      '/opt/node/node',
      ...AGENT_NODE_FLAGS,
      '/opt/agent/understudy-agent.cjs',
      '--config',
      '/etc/understudy/agent.json',
      '--imds',
      imds.endpoint,
    ];
    const units: Readonly<Record<string, string>> = {
      [TARGET]: `[Unit]\nAssertPathExists=${ASSERT}\n`,
      'understudy-agent.service': `[Service]\nExecStart=${command.join(' ')}\nRestart=always\nRestartSec=500ms\nTimeoutStopSec=60\n[Install]\nWantedBy=multi-user.target\n`,
      'db.service': service(FOLLOWS, '/bin/sleep 1000000'),
      'stubborn.service': service(FOLLOWS, IGNORES_SIGTERM, 'TimeoutStopSec=1h'),
      'linked.service': service(FOLLOWS, '/bin/sleep 1000000'),
    };
    for (const [name, text] of Object.entries(units)) machine.write(`/etc/systemd/system/${name}`, text);
    await machine.boot();
    await machine.run('systemctl', 'enable', '--now', 'understudy-agent.service');
    await machine.run('systemctl', 'add-wants', TARGET, 'db.service');
  });
  afterAll(async () => {
    await machine?.remove();
    await coordinator?.socket.close();
    imds?.close();
  });

  const told = (activation: 'active' | 'standby' | 'fenced') => {
    const incarnation = (coordinator.reply?.incarnation ?? 1) + 1;
    coordinator.reply = { activation, incarnation, term: BigInt(incarnation) };
  };
  const waitFor = (unit: string, state: string) =>
    until(`${unit} is ${state}`, async () => (await machine.stateOf(unit)) === state, 20_000);
  const asserts = async () => (await machine.run('test', '-e', ASSERT)).code === 0;
  const states = () => Promise.all([TARGET, 'db.service', 'stubborn.service'].map((unit) => machine.stateOf(unit)));
  const serve = async () => {
    told('active');
    await waitFor('db.service', 'active');
  };

  it('nothing starts by itself at boot, nor by hand while inactive', async () => {
    await until('a heartbeat', () => coordinator.heard.length > 0);
    expect(await states()).toEqual(['inactive', 'inactive', 'inactive']);
    const byHand = await machine.run('systemctl', 'start', 'db.service');
    expect(byHand.code).not.toBe(0);
    expect(byHand.output).toMatch(/dependency|Dependency/);
    const target = await machine.run('systemctl', 'start', TARGET);
    expect(target.output).toMatch(/Assertion failed/);
    expect(await states()).toEqual(['inactive', 'inactive', 'inactive']);
  });

  it('says of a unit what doctor looks for', async () => {
    const asked = 'Requisite,PartOf,After,WantedBy';
    const { output } = await machine.run('systemctl', 'show', '--property', asked, '--', 'db.service');
    for (const property of ['Requisite', 'PartOf', 'After', 'WantedBy'])
      expect(output).toMatch(new RegExp(`^${property}=.*understudy-active\\.target`, 'm'));
    // `show` calls assertions unprintable, so its text is looked at.
    const { output: text } = await machine.run('systemctl', 'cat', '--', 'db.service');
    expect(text).toMatch(/^AssertPathExists=\/run\/understudy\/active$/m);
  });

  it('starts when activated, and stops when fenced while somebody restarts it again and again', async () => {
    await serve();
    expect(await asserts()).toBe(true);
    const restarts = machine.run(
      'sh',
      '-c',
      'i=0; while [ $i -lt 40 ]; do systemctl restart db.service 2>>/tmp/refused; i=$((i+1)); sleep 0.05; done',
    );
    await clock.sleep(200);
    told('fenced');
    await waitFor(TARGET, 'inactive');
    await restarts;
    // The fault has happened: systemd refused somebody.
    const refused = await machine.run('sort', '-u', '/tmp/refused');
    expect(refused.output).toMatch(/destructive|dependency|Dependency|Assertion/);
    await waitFor('db.service', 'inactive');
    expect(await asserts()).toBe(false);
    await clock.sleep(500);
    expect((await states()).slice(0, 2)).toEqual(['inactive', 'inactive']);
  });

  it('a workload that ignores SIGTERM is killed, although its unit would wait for an hour', async () => {
    await serve();
    await machine.run('systemctl', 'start', 'stubborn.service');
    await waitFor('stubborn.service', 'active');
    const toldAtMs = clock.monotonicMs();
    told('fenced');
    await waitFor('stubborn.service', 'failed');
    const tookMs = clock.monotonicMs() - toldAtMs;
    expect(tookMs).toBeGreaterThanOrEqual(STOP_MS);
    expect(tookMs).toBeLessThan(STOP_MS + 5_000);
    const why = await machine.run('systemctl', 'show', '--property=Result', '--value', 'stubborn.service');
    expect(why.output).toBe('signal');
    await waitFor(TARGET, 'inactive');
  });

  it('a workload whose file vanished while it runs is stopped like any other', async () => {
    await serve();
    await machine.run('systemctl', 'start', 'linked.service');
    await machine.run('rm', '/etc/systemd/system/linked.service');
    await machine.run('systemctl', 'daemon-reload');
    // The fault has happened: it runs, and systemd finds no file of it.
    const asked = ['show', '--property=LoadState,ActiveState', 'linked.service'];
    expect((await machine.run('systemctl', ...asked)).output).toBe('LoadState=not-found\nActiveState=active');
    told('fenced');
    await waitFor('linked.service', 'inactive');
  });

  it('an agent that is killed leaves the workload up for as long as it is gone; the next one withdraws it first', async () => {
    await serve();
    const mainPid = async () =>
      (await machine.run('systemctl', 'show', '--property=MainPID', '--value', 'understudy-agent')).output;
    const started = await machine.run('systemctl', 'show', '--property=ActiveEnterTimestampMonotonic', '--value', 'db');
    coordinator.reply = null;
    const before = await mainPid();
    await machine.run('systemctl', 'kill', '-s', 'KILL', 'understudy-agent');
    expect(await machine.stateOf('db.service')).toBe('active');
    await until('the next agent', async () => !['0', before].includes(await mainPid()));
    // Nobody answers it: what it does it does by itself.
    await waitFor('db.service', 'inactive');
    expect(await asserts()).toBe(false);
    await serve();
    const again = await machine.run('systemctl', 'show', '--property=ActiveEnterTimestampMonotonic', '--value', 'db');
    expect(Number(again.output)).toBeGreaterThan(Number(started.output));
  });

  it('an agent that is stopped takes the workload down before it is gone', async () => {
    await serve();
    expect((await machine.run('systemctl', 'stop', 'understudy-agent')).code).toBe(0);
    expect((await states()).slice(0, 2)).toEqual(['inactive', 'inactive']);
    expect(await asserts()).toBe(false);
    await machine.run('systemctl', 'start', 'understudy-agent');
  });

  it('after a power cut the workload stays down until the agent is told', async () => {
    await serve();
    coordinator.reply = { ...coordinator.reply, activation: 'unknown' };
    await machine.cutPower();
    const heard = coordinator.heard.length;
    await machine.boot();
    await until('a heartbeat of the next boot', () => coordinator.heard.length > heard);
    expect((await states()).slice(0, 2)).toEqual(['inactive', 'inactive']);
    expect(await asserts()).toBe(false);
    await serve();
  });

  it('a machine that is shut down in order is off in seconds: the agent stops its workload beside systemd', async () => {
    const beganAtMs = clock.monotonicMs();
    await machine.run('systemctl', 'poweroff', '--no-block');
    await until('the machine is off', () => !machine.isOn, 30_000);
    expect(clock.monotonicMs() - beganAtMs).toBeLessThan(15_000);
    await machine.cutPower();
  });
});
