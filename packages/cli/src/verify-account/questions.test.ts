import { spawnSync } from 'node:child_process';
import type { LatencyOverrides } from '@understudy/cloud-sim';
import { type Cloud, OperationError } from '@understudy/shared';
import { describe, expect, it } from 'vitest';
import { account, type Account, answered, leftIn, runOf } from './account.fixtures.ts';
import type { Outcome } from './report.ts';
import { HUNG_USER_DATA } from './questions/stop-time.ts';
import { READER_USER_DATA, WRITER_USER_DATA } from './questions/stopped-is-stopped.ts';
import { QUESTIONS } from './questions.ts';
import { Things } from './things.ts';

/** Guests that say on their console what their user data would have them say. */
const saying =
  (word: string) =>
  (cloud: Cloud): Partial<Cloud> => ({
    consoleOutput: async (instanceId) => {
      const [instance] = await cloud.describeInstances({ 'instance-id': [instanceId] });
      const copies = (instance?.volumes ?? []).filter(({ deviceName }) => deviceName !== instance?.rootDeviceName);
      const ids = copies.map(({ volumeId }) => volumeId.replace('-', '')).join(' ');
      const words = ['halting', 'writing', `${word} ${ids}`].map((one) => `understudy-verify-account: ${one}\n`);
      return { text: words.join(''), takenAtWallMs: null };
    },
  });

const refused = (upstreamCode: string): OperationError => new OperationError('CLOUD_CONFLICT', 'no', { upstreamCode });

interface Case {
  readonly id: string;
  /** For the usual answer. */
  readonly latency?: LatencyOverrides;
  /** What cloud-sim lacks for the usual answer. */
  readonly usual?: (cloud: Cloud) => Partial<Cloud>;
  /** An EC2 that is not as SPEC supposes. */
  readonly otherwise: (cloud: Cloud) => Partial<Cloud>;
}

const withoutInterface = (request: Readonly<Record<string, unknown>>, SubnetId: string) => {
  const { NetworkInterfaces: _named, ...rest } = request;
  return { ...rest, SubnetId, ClientToken: `free-${String(request.ClientToken)}` };
};

/** Launches whatever it is asked, wherever. */
const careless = (cloud: Cloud): Partial<Cloud> => ({
  runInstances: async (request) => {
    const [subnet] = await cloud.describeSubnets({});
    return cloud.runInstances(withoutInterface(request, subnet?.subnetId ?? ''));
  },
});

const CASES: readonly Case[] = [
  {
    id: 'interface-delete-lag',
    // cloud-sim is stricter than A9: each action learns of a new thing at its own time.
    latency: { 'consistency.created': [0, 0] },
    otherwise: () => ({}),
  },
  { id: 'interface-gone', otherwise: careless },
  {
    id: 'token-other-zone',
    otherwise: (cloud) => {
      let launches = 0;
      return {
        runInstances: async (request) => {
          if (++launches > 1) throw refused('IdempotentParameterMismatch');
          return cloud.runInstances(request);
        },
      };
    },
  },
  {
    id: 'address-elsewhere',
    otherwise: (cloud) => ({
      associateAddress: async (request) => {
        const [address] = await cloud.describeAddresses({ 'allocation-id': [request.allocationId] });
        if (address?.associationId) await cloud.disassociateAddress(address.associationId);
        return cloud.associateAddress(request);
      },
    }),
  },
  {
    id: 'stop-time',
    usual: saying('same'),
    otherwise: (cloud) => {
      const looks = new Map<string, number>();
      return {
        stopInstance: async (id) => void looks.set(id, 0),
        describeInstances: async (filters) => {
          const found = await cloud.describeInstances(filters);
          return found.map((one) => {
            const count = looks.get(one.instanceId);
            if (count === undefined) return one;
            looks.set(one.instanceId, count + 1);
            return count > 1_300 ? { ...one, state: 'stopped' as const } : one;
          });
        },
      };
    },
  },
  {
    id: 'token-remembered',
    otherwise: (cloud) => {
      let launches = 0;
      return { runInstances: (request) => cloud.runInstances({ ...request, ClientToken: `t-${++launches}` }) };
    },
  },
  {
    id: 'image-fields',
    otherwise: (cloud) => ({ registerImage: (request) => cloud.registerImage({ ...request, enaSupport: false }) }),
  },
  { id: 'stopped-is-stopped', usual: saying('same'), otherwise: saying('differ') },
];

const verdictOf = (outcome: Outcome | undefined): string =>
  outcome?.kind === 'answered' ? outcome.answer.verdict : JSON.stringify(outcome);

async function outcomeOf(one: Account, id: string, change?: (cloud: Cloud) => Partial<Cloud>) {
  const report = await answered(one, runOf(one, [id], change));
  return report.questions[0]?.outcome;
}

describe('every question of decision 0003', () => {
  it('is among the cases', () => expect(CASES.map(({ id }) => id)).toEqual(QUESTIONS.map(({ id }) => id)));

  it.each(CASES)('$id is answered as assumed by cloud-sim, and leaves nothing', async ({ id, usual, latency }) => {
    const one = account(latency);
    const outcome = await outcomeOf(one, id, usual);
    expect(verdictOf(outcome), JSON.stringify(outcome)).toBe('as-assumed');
    expect(await leftIn(one)).toEqual([]);
    one.sim.close();
  });

  it.each(CASES)('$id sees an EC2 that is otherwise, and leaves nothing', async ({ id, otherwise }) => {
    const one = account();
    expect(verdictOf(await outcomeOf(one, id, otherwise))).toBe('otherwise');
    expect(await leftIn(one)).toEqual([]);
    one.sim.close();
  });
});

describe('an address', () => {
  it('that is somebody’s is not touched', async () => {
    const one = account();
    const { allocationId, cloud, clock } = one;
    const subnetId = Object.values(one.sim.defaultResources.subnets)[0] ?? '';
    const things = new Things({ ...runOf(one, []), clock, runId: 'somebody' });
    const { networkInterfaceId } = await clock.runUntilSettled(things.shownInterfaceIn(subnetId));
    await clock.runUntilSettled(cloud.associateAddress({ allocationId, networkInterfaceId, privateIp: null }));
    expect(await outcomeOf(one, 'address-elsewhere')).toEqual({ kind: 'failed', code: 'CLOUD_CONFLICT' });
    const [after] = await clock.runUntilSettled(cloud.describeAddresses({ 'allocation-id': [allocationId] }));
    expect(after?.networkInterfaceId).toBe(networkInterfaceId);
    one.sim.close();
  });

  it('is free again after the question', async () => {
    const one = account();
    await outcomeOf(one, 'address-elsewhere');
    const ids = { 'allocation-id': [one.allocationId] };
    const [after] = await one.clock.runUntilSettled(one.cloud.describeAddresses(ids));
    expect(after?.associationId).toBeNull();
    one.sim.close();
  });
});

it('is unclear what a guest without a console did', async () => {
  for (const id of ['stop-time', 'stopped-is-stopped']) {
    const one = account();
    expect(verdictOf(await outcomeOf(one, id))).toBe('unclear');
    expect(await leftIn(one)).toEqual([]);
    one.sim.close();
  }
});

it('is unclear what a reader compared that started from a copy', async () => {
  const one = account();
  const other = (cloud: Cloud): Partial<Cloud> => ({
    consoleOutput: async () => ({
      text: 'understudy-verify-account: writing\nunderstudy-verify-account: differ vol1 vol2\n',
      takenAtWallMs: null,
    }),
    describeInstances: (filters) => cloud.describeInstances(filters),
  });
  expect(verdictOf(await outcomeOf(one, 'stopped-is-stopped', other))).toBe('unclear');
  one.sim.close();
});

it('two subnets of one zone are refused where two zones are needed', async () => {
  const one = account();
  const run = runOf(one, ['token-other-zone']);
  const report = await answered(one, { ...run, given: { ...run.given, otherSubnetId: run.given.subnetId } });
  expect(report.questions[0]?.outcome).toEqual({ kind: 'failed', code: 'CONFIG_INVALID' });
  one.sim.close();
});

it.each([
  ['writer', WRITER_USER_DATA],
  ['reader', READER_USER_DATA],
  ['hung guest', HUNG_USER_DATA],
])('the user data of the %s is a script that a shell reads', (_name, script) => {
  expect(spawnSync('sh', ['-n'], { input: script, encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' });
});
