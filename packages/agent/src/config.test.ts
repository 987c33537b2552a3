import { parseConfig } from '@understudy/shared/node';
import { describe, expect, it } from 'vitest';
import { AgentConfigSchema } from './config.ts';
import { maskedConfig, readAgentKey, rooted } from './config-values.ts';
import { parseHostPort } from './host-port.ts';

const KEY = 'ab'.repeat(32);
const BASE = `member: shop/db-1\nkey: { id: 1, hex: ${KEY} }\ncoordinators: [127.0.0.1:7946]\n`;
const parse = (text: string) => parseConfig(AgentConfigSchema, text, 'agent.yaml');

describe('agent config', () => {
  it('member, key and coordinators are enough', () => {
    const config = parse(BASE);
    expect(config.heartbeat).toEqual({ intervalMs: 1_000, jitterRatio: 0.1, family: 4 });
    expect(config.checks.network.dns).toEqual({ servers: 'auto', name: 'amazonaws.com' });
    expect(config.checks.storage).toMatchObject({
      enabled: true,
      intervalMs: 10_000,
      deadlineMs: 5_000,
      rise: 1,
      fall: 2,
    });
    expect(config.activation.file).toBe('/run/understudy/activation.json');
    expect(config.serve.leaseMs).toBe(0);
  });

  it.each([
    ['unknown key', 'colour: red\n', /Unrecognized key: "colour"/],
    ['unknown nested key', 'heartbeat: { interval: 5 }\n', /agent.yaml:4.*Unrecognized key: "interval"/],
    [
      'deadline not below interval',
      'checks: { storage: { intervalMs: 1000, deadlineMs: 2000 } }\n',
      /deadlineMs = 2000 is not below intervalMs = 1000/,
    ],
    [
      'lease shorter than acks come',
      'serve: { leaseMs: 5000 }\n',
      /leaseMs = 5000 is below 10 × heartbeat.intervalMs = 10000/,
    ],
    ['poweroff without a lease', 'serve: { onExpiry: poweroff }\n', /poweroff never happens with leaseMs = 0/],
    ['a folder that is not absolute', 'stateDir: state\n', /want an absolute path/],
    ['a gateway of another kind', 'checks: { network: { gateway: ping } }\n', /want auto, none or tcp:HOST:PORT/],
    [
      'a custom check of two kinds',
      "checks: { custom: [{ name: a, tcp: 'h:1', exec: [x] }] }\n",
      /exactly one of exec, http and tcp, found 2/,
    ],
    ['a custom check of no kind', 'checks: { custom: [{ name: a }] }\n', /exactly one of exec, http and tcp, found 0/],
    ['https', "checks: { custom: [{ name: a, http: 'https://h/' }] }\n", /want http:\/\/HOST/],
    [
      'a status without http',
      "checks: { custom: [{ name: a, tcp: 'h:1', status: 200 }] }\n",
      /means nothing without http/,
    ],
    [
      'a custom name twice',
      "checks: { custom: [{ name: a, tcp: 'h:1' }, { name: a, tcp: 'h:2' }] }\n",
      /name = a is that of checks.custom\[0\] too/,
    ],
    [
      'a custom deadline not below its interval',
      "checks: { custom: [{ name: a, tcp: 'h:1', intervalMs: 900, deadlineMs: 900 }] }\n",
      /deadlineMs = 900 is not below intervalMs = 900/,
    ],
    [
      'a pressure that fails before it warns',
      'checks: { pressure: { memoryFailPercent: 5 } }\n',
      /memoryFailPercent = 5 is below memoryWarnPercent = 10/,
    ],
    [
      'a lease that leaves the hook less than its time',
      'activation: { onDeactivate: [off] }\nserve: { leaseMs: 20000, stopWithinMs: 69999, watchdog: { timeoutMs: 10000 } }\n',
      /stopWithinMs = 69999 less 3 × watchdog.timeoutMs = 10000 leaves 39999, below 40000 = 6000 before anything is told \+ onDeactivate 30000 and 4000 to kill it/,
    ],
    [
      'a lease at whose end nothing would be stopped',
      'serve: { leaseMs: 20000 }\n',
      /leaseMs > 0 with neither activation.onDeactivate nor activation.systemdTarget/,
    ],
    [
      'a lease that leaves hook and target less than their time, one after the other',
      'activation: { onDeactivate: [off], systemdTarget: a.target }\nserve: { leaseMs: 20000, stopWithinMs: 79999 }\n',
      /stopWithinMs = 79999 leaves 79999, below 80000 = 6000 .* \+ onDeactivate 30000 and 4000 .* \+ systemdTarget 30000 and 10000/,
    ],
    [
      'workloads without the target that they follow',
      'activation: { workloads: [db.service] }\n',
      /name it in activation.systemdTarget/,
    ],
    ['a watchdog without a lease', 'serve: { watchdog: {} }\n', /watchdog guards nothing with leaseMs = 0/],
    ['a hook without a command', 'activation: { onActivate: [] }\n', /want a command/],
  ])('refuses: %s', (_name, text, message) => {
    expect(() => parse(BASE + text)).toThrow(message);
  });

  it.each([
    ['a hook', 'onDeactivate: [off]', 70_000],
    ['a target', 'systemdTarget: a.target', 76_000],
    ['both', 'onDeactivate: [off], systemdTarget: a.target', 110_000],
  ])('takes a lease that leaves %s, and all that comes before, just their time', (_name, what, stopWithinMs) => {
    const serve = (ms: number) => `serve: { leaseMs: 20000, stopWithinMs: ${ms}, watchdog: { timeoutMs: 10000 } }\n`;
    const activation = `activation: { ${what} }\n`;
    expect(parse(BASE + activation + serve(stopWithinMs)).serve.stopWithinMs).toBe(stopWithinMs);
    expect(() => parse(BASE + activation + serve(stopWithinMs - 1))).toThrow(/leaves/);
  });

  it('refuses two sources of the key, none, the same coordinator twice and a member without group, all in one message', () => {
    const text = 'member: db\nkey: { id: 1 }\ncoordinators: [c:1]\n';
    expect(() => parse(text)).toThrow(/want group\/name/);
    expect(() => parse(BASE.replace('id: 1,', 'id: 1, file: /k,'))).toThrow(
      /want exactly one of hex, file, ssmParameter, secretsManager, enrolAt, found 2/,
    );
    expect(() => parse(BASE.replace('[127.0.0.1:7946]', '[c:1, c:1]'))).toThrow(/2 coordinators named, but only 1/);
  });

  it('takes a list of coordinators that give the key, over TLS only, and an authority with it only', () => {
    const enrols = (more: string) => parse(BASE.replace(/^key:.*$/m, `key: { id: 1, ${more} }`)).key;
    expect(enrols('enrolAt: [https://c1:8443/, "https://[::1]:8443"], caFile: /ca.pem').enrolAt).toEqual([
      'https://c1:8443',
      'https://[::1]:8443',
    ]);
    expect(() => enrols('enrolAt: [http://c1:8080]')).toThrow(/want https:\/\/HOST:PORT/);
    expect(() => enrols('enrolAt: []')).toThrow(/enrolAt/);
    expect(() => enrols('enrolAt: [https://c1:1], region: us-east-1')).toThrow(/region and endpoint/);
    expect(() => enrols('file: /k, caFile: /ca.pem')).toThrow(/caFile vouches/);
  });

  it('masks the key and nothing else', () => {
    const masked = JSON.stringify(maskedConfig(parse(BASE)));
    expect(masked).not.toContain(KEY);
    expect(masked).toContain('"id":1');
  });

  it('a key file that is not there is KEY_INVALID and names the file', () => {
    const config = parse(BASE.replace(`hex: ${KEY}`, 'file: /nope/agent.key'));
    expect(() => readAgentKey(config)).toThrow(/KEY_INVALID.*\/nope\/agent.key/);
  });

  it('rootDir goes before every path', () => {
    expect(rooted(parse(`${BASE}rootDir: /tmp/root/\n`), '/etc/x')).toBe('/tmp/root/etc/x');
    expect(rooted(parse(BASE), '/etc/x')).toBe('/etc/x');
  });

  it.each([
    ['c1.example:7946', { host: 'c1.example', port: 7946 }],
    ['[::1]:1', { host: '::1', port: 1 }],
    ['::1:1', null],
    ['c1', null],
    ['c1:0', null],
    ['c1:65536', null],
  ])('%s is host and port', (text, expected) => {
    expect(parseHostPort(text)).toEqual(expected);
  });
});
