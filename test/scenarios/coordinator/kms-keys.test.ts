import { type MemberId, MemberRecordSchema, parseRecord } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { KEYS, ScenarioCluster } from './scenario-cluster.ts';

const DB1 = 'prod/db1';
const TEN_MINUTES_MS = 600_000;

/** What etcd says of the member's readiness. */
function problemsOf(
  world: ScenarioCluster,
  member: MemberId,
): readonly { readonly code: string; readonly text: string }[] {
  const [entry] = world.kv.entries(KEYS.member(member));
  if (!entry) throw new Error(`${member} is not enrolled`);
  return parseRecord(MemberRecordSchema, entry.key, entry.value).readinessProblems;
}

const codesOf = (world: ScenarioCluster): readonly string[] => problemsOf(world, DB1).map((one) => one.code);

/**
 * One member with an encrypted data volume, and others that keep its failure from being a mass
 * failure. `before`: what becomes of the key before anybody looks.
 */
async function started(before: (world: ScenarioCluster, key: string) => void = () => undefined) {
  const world = new ScenarioCluster();
  const key = world.sim.createKmsKey().arn;
  const Ebs = { VolumeSize: 4, VolumeType: 'gp3', Encrypted: true, KmsKeyId: key, DeleteOnTermination: false };
  const old = world.seed(DB1, { request: { BlockDeviceMappings: [{ DeviceName: '/dev/sdf', Ebs }] } });
  for (const name of ['db2', 'db3', 'db4']) world.seed(`prod/${name}`, { az: 'us-east-1b' });
  before(world, key);
  await world.up();
  return { world, old, key };
}

const asked = (world: ScenarioCluster) => world.sim.log.calls('kms:DescribeKey');

describe('the key of a member’s volume', () => {
  test('is found disabled within ten minutes, named with its remedy, and found enabled as soon', async () => {
    const { world, old, key } = await started();
    expect(codesOf(world)).toEqual([]);
    world.sim.changeKmsKey(key, { state: 'Disabled' });
    await world.until('found', () => codesOf(world).includes('KmsKeyUnusable'), TEN_MINUTES_MS + 60_000);
    const [problem] = problemsOf(world, DB1);
    expect(problem?.text).toContain(`KMS key ${key} of ${old.volumeIds['/dev/sdf']} is disabled`);
    expect(problem?.text).toContain('aws kms enable-key');
    const { api } = world.mustLead().coordinator;
    expect(api.explain(DB1)?.readinessProblems).toEqual(problemsOf(world, DB1));
    expect(
      api
        .status()
        .problems.map((one) => one.text)
        .join(),
    ).toContain('prod/db1 (KmsKeyUnusable)');
    world.sim.changeKmsKey(key, { state: 'Enabled' });
    await world.until('found again', () => codesOf(world).length === 0, TEN_MINUTES_MS + 60_000);
  });

  test('a member that dies meanwhile is not touched: held, and replaced by itself once the key works', async () => {
    const { world, old, key } = await started((each, its) => each.sim.changeKmsKey(its, { state: 'Disabled' }));
    expect(codesOf(world)).toEqual(['KmsKeyUnusable']);
    world.crash(old.instanceId);
    await world.until('held', () => world.hold(DB1)?.reason === 'NotReady', 120_000);
    expect(world.hold(DB1)?.text).toContain('aws kms enable-key');
    await world.clock.advance(TEN_MINUTES_MS);
    // A question (DryRun) is asked of what is ready or not, and stops nothing.
    expect(world.sim.log.calls('StopInstances').filter((one) => one.input['DryRun'] !== true)).toEqual([]);
    world.sim.changeKmsKey(key, { state: 'Enabled' });
    await world.until('replaced', () => world.history(DB1).length > 0, TEN_MINUTES_MS);
    world.expectReplaced(DB1, old.instanceId);
    expect(world.launches).toBe(1);
  });

  test('that we may not ask about is said to be unchecked, and nothing is blocked', async () => {
    const { world, old } = await started((each) => each.sim.setDeniedActions(['kms:DescribeKey']));
    expect(codesOf(world)).toEqual(['KmsKeyNotChecked']);
    expect(problemsOf(world, DB1)[0]?.text).toMatch(/kms:DescribeKey; understudy iam-policy/);
    expect(asked(world).map((call) => call.outcome)).toContain('UnauthorizedOperation');
    world.crash(old.instanceId);
    await world.until('replaced', () => world.history(DB1).length > 0, TEN_MINUTES_MS);
    world.expectReplaced(DB1, old.instanceId);
  });

  test.each(['timeout-before', 'foreign-instead'] as const)(
    'of a KMS that does not answer (%s): likewise',
    async (kind) => {
      const { world, old } = await started((each) =>
        each.sim.addFault({ id: 'kms', action: 'kms:DescribeKey', kind, times: 1_000 }),
      );
      expect(codesOf(world)).toEqual(['KmsKeyNotChecked']);
      expect(world.sim.fired('kms')).toBeGreaterThan(0);
      world.crash(old.instanceId);
      await world.until('replaced', () => world.history(DB1).length > 0, TEN_MINUTES_MS);
      world.expectReplaced(DB1, old.instanceId);
      expect(world.nodes.flatMap((node) => node.log.lines).some((line) => line.event === 'kms.unanswered')).toBe(true);
    },
  );

  test('is asked about at most once per look, and never for a member without one', async () => {
    const { world } = await started();
    const before = asked(world).length;
    await world.clock.advance(2 * TEN_MINUTES_MS);
    expect(asked(world).length - before).toBeGreaterThan(0);
    expect(asked(world).length - before).toBeLessThanOrEqual(3);
    const plain = new ScenarioCluster();
    plain.seed('prod/db1');
    await plain.up();
    expect(asked(plain)).toEqual([]);
  });
});
