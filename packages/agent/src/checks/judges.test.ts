import { describe, expect, it } from 'vitest';
import { judgeMetadata, type MetadataAnswer, metadataCheck, type MetadataReadings } from './metadata.ts';
import { judgeNetwork, type NetworkObservation } from './network.ts';
import { judgePressure, pressureCheck } from './pressure.ts';
import { judgeMounts, judgeProbe, type StorageExpectation } from './storage.ts';

describe('network', () => {
  const fine: NetworkObservation = { gateway: 'reachable', dns: 'answered', coordinators: { acking: 3, known: 3 } };
  it.each<[string, Partial<NetworkObservation>, string]>([
    ['all well', {}, 'pass none'],
    ['nothing looked at', { gateway: 'not-looked-at', dns: 'not-looked-at' }, 'pass none'],
    ['no default route', { gateway: 'no-route', dns: 'silent' }, 'fail noDefaultRoute'],
    ['gateway silent goes before DNS', { gateway: 'unreachable', dns: 'silent' }, 'fail gatewayUnreachable'],
    ['DNS silent', { dns: 'silent' }, 'fail dnsUnreachable'],
    ['DNS answers with errors', { dns: 'failing' }, 'warn dnsFailing'],
    [
      'no coordinator goes before DNS errors',
      { dns: 'failing', coordinators: { acking: 0, known: 3 } },
      'fail coordinatorsUnreachable',
    ],
    ['some coordinators silent', { coordinators: { acking: 1, known: 3 } }, 'warn coordinatorsUnreachable'],
    ['all coordinators silent', { coordinators: { acking: 0, known: 3 } }, 'fail coordinatorsUnreachable'],
  ])('%s', (_name, changes, expected) => {
    const { status, code } = judgeNetwork({ ...fine, ...changes });
    expect(`${status} ${code}`).toBe(expected);
  });
});

const ABSENT: MetadataAnswer = { kind: 'absent' };
const found = (text: string): MetadataAnswer => ({ kind: 'found', text });

describe('metadata', () => {
  const fine: MetadataReadings = { instanceId: found('i-1\n'), spot: ABSENT, rebalance: ABSENT, maintenance: ABSENT };
  it.each<[string, Partial<MetadataReadings>, string]>([
    ['all well', {}, 'pass none'],
    ['another instance', { instanceId: found('i-2'), spot: found('{}') }, 'fail instanceIdChanged'],
    ['no answer', { instanceId: { kind: 'unreachable', detail: 'x' } }, 'fail imdsUnreachable'],
    ['no such path', { instanceId: ABSENT }, 'fail imdsUnreachable'],
    ['throttled', { instanceId: { kind: 'throttled' } }, 'warn imdsThrottled'],
    [
      'spot notice',
      { spot: found('{"action":"stop","time":"2026-01-01T00:00:00Z"}'), rebalance: found('{}') },
      'warn spotNotice',
    ],
    ['rebalance', { rebalance: found('{"noticeTime":"2026-01-01T00:00:00Z"}') }, 'warn rebalanceRecommended'],
    [
      'maintenance',
      { maintenance: found('[{"Code":"system-reboot","State":"active","NotBefore":"21 Jan 2019 09:00:43 GMT"}]') },
      'warn maintenanceScheduled',
    ],
    ['maintenance done', { maintenance: found('[{"Code":"system-reboot","State":"completed"}]') }, 'pass none'],
    ['no maintenance', { maintenance: found('[]') }, 'pass none'],
    ['maintenance in no format we know', { maintenance: found('<html>') }, 'pass none'],
  ])('%s', (_name, changes, expected) => {
    const { status, code } = judgeMetadata({ ...fine, ...changes }, 'i-1');
    expect(`${status} ${code}`).toBe(expected);
  });

  it('throttled: asks after 1, 2, 4 … rounds only', async () => {
    let asked = 0;
    const source = {
      get: async (): Promise<MetadataAnswer> => {
        asked++;
        return { kind: 'throttled' };
      },
    };
    const check = metadataCheck(source, 'i-1', () => undefined);
    const rounds: number[] = [];
    for (let round = 0; round < 16; round++) {
      const before = asked;
      expect((await check.run(new AbortController().signal)).code).toBe('imdsThrottled');
      if (asked > before) rounds.push(round);
    }
    expect(rounds).toEqual([0, 2, 5, 10]);
  });

  it('another instance is told at once, before any fall count', async () => {
    const lost: string[] = [];
    const check = metadataCheck({ get: async () => found('i-2') }, 'i-1', (id) => lost.push(id));
    await check.run(new AbortController().signal);
    expect(lost).toEqual(['i-2']);
  });
});

describe('storage', () => {
  const mount = { path: '/data', minFreeBytes: 5_000, minFreeInodes: 10 };
  const expected: StorageExpectation = { devices: [], mounts: [mount], probeFolders: ['/data'], plainFolders: false };
  const entry = (path: string, readOnly: boolean) => ({ device: 'd', path, type: 'ext4', readOnly });

  it.each([
    ['mounted', [entry('/', false), entry('/data', false)], false, undefined],
    ['not mounted', [entry('/', false)], false, 'notMounted'],
    ['read-only', [entry('/data', true)], false, 'readOnly'],
    ['a plain folder under a rootDir', [entry('/', false)], true, undefined],
    ['a plain folder on a read-only disk', [entry('/', true)], true, 'readOnly'],
  ])('%s', (_name, mounts, plainFolders, code) => {
    expect(judgeMounts({ ...expected, plainFolders }, mounts)?.code).toBe(code);
  });

  const room = (freeBytes: number | null, freeInodes: number | null) => ({ freeBytes, freeInodes });
  const roomy = room(5_000, 10);
  const written = { error: null, room: roomy };
  const refused = (error: string, left = roomy) => ({ error: `dd: error writing 'x': ${error}`, room: left });
  it.each([
    ['room and written', { mounts: [roomy], folders: [written] }, 'pass none'],
    ['file systems without limits', { mounts: [room(null, null)], folders: [written] }, 'pass none'],
    ['too little space', { mounts: [room(4_999, 10)], folders: [written] }, 'fail spaceLow'],
    ['too few inodes', { mounts: [room(5_000, 9)], folders: [written] }, 'fail inodesLow'],
    ['path gone', { mounts: [null], folders: [written] }, 'fail notMounted'],
    ['the probe ended early', { mounts: [], folders: [] }, 'unknown none'],
    ['the probe ended before the write', { mounts: [roomy], folders: [] }, 'unknown none'],
    ['full', { mounts: [roomy], folders: [refused('No space left on device')] }, 'fail spaceLow'],
    ['no inode', { mounts: [roomy], folders: [refused('No space left on device', room(5_000, 0))] }, 'fail inodesLow'],
    ['stopped writing', { mounts: [roomy], folders: [refused('Read-only file system')] }, 'fail readOnly'],
    ['disk error', { mounts: [roomy], folders: [refused('Input/output error')] }, 'fail writeFailed'],
    [
      'only root may still write',
      { mounts: [roomy], folders: [{ error: null, room: room(4_095, 10) }] },
      'fail spaceLow',
    ],
  ])('%s', (_name, findings, expectedResult) => {
    const { status, code } = judgeProbe(expected, findings);
    expect(`${status} ${code}`).toBe(expectedResult);
  });

  it('a limit of 0 still fails a full file system', () => {
    const unlimited = { ...expected, mounts: [{ path: '/data', minFreeBytes: 0, minFreeInodes: 0 }] };
    expect(judgeProbe(unlimited, { mounts: [room(0, 10)], folders: [written] }).code).toBe('spaceLow');
    expect(judgeProbe(unlimited, { mounts: [room(4_096, 0)], folders: [written] }).code).toBe('inodesLow');
    expect(judgeProbe(unlimited, { mounts: [room(4_096, 1)], folders: [written] }).code).toBe('none');
  });
});

describe('pressure', () => {
  const limits = { cpuWarnPercent: 90, memoryWarnPercent: 10 };
  const failing = { ...limits, cpuFailPercent: 99, memoryFailPercent: 50 };
  const shares = (somePercent: number, fullPercent: number) => ({ somePercent, fullPercent });
  it.each([
    ['calm', shares(89.9, 0), shares(100, 9.9), limits, 'pass none'],
    ['CPU', shares(90, 0), shares(0, 0), limits, 'warn cpuPressure'],
    ['memory', shares(0, 0), shares(10, 10), limits, 'warn memoryPressure'],
    ['both', shares(100, 0), shares(100, 100), limits, 'warn memoryPressure'],
    ['CPU beyond its limit', shares(99, 0), shares(20, 20), failing, 'fail cpuPressure'],
    ['memory beyond its limit', shares(99, 0), shares(50, 50), failing, 'fail memoryPressure'],
  ])('%s', (_name, cpu, memory, limit, expected) => {
    const { status, code } = judgePressure(cpu, memory, limit);
    expect(`${status} ${code}`).toBe(expected);
  });

  it('is read anew each time', async () => {
    let memory = shares(0, 0);
    const check = pressureCheck({ cpu: async () => shares(0, 0), memory: async () => memory }, limits);
    expect((await check.run(new AbortController().signal)).status).toBe('pass');
    memory = shares(30, 30);
    expect((await check.run(new AbortController().signal)).status).toBe('warn');
  });
});
