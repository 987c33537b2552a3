import { KEYS, MEMBER, RecoveryFixture } from '../scenarios/recovery/recovery-fixture.ts';
import { type BenchRow, median } from './bench.ts';

const SEEDS = 10;

interface Timed {
  readonly wallMs: number;
  readonly criticalMs: number;
}

/**
 * How long the resource stayed in `state`, as the cloud itself decided. 0 when it never was in it.
 */
const stayMs = (scene: RecoveryFixture, resourceId: string, state: string): number =>
  scene.sim.log
    .stays(resourceId)
    .filter((stay) => stay.state === state)
    .reduce((sum, stay) => sum + stay.durationMs, 0);

/**
 * Round trips of the mutating calls that nothing can run beside. The event log has the request leg;
 * the response leg is as long on average.
 */
const callMs = (scene: RecoveryFixture, action: string): number =>
  Math.max(0, ...scene.sim.log.calls(action).map((call) => call.durationMs));

/**
 * The chain of actions that had to follow one another: stop → snapshots → image → launch → boot →
 * settle → address.
 */
function criticalPathMs(scene: RecoveryFixture, oldInstanceId: string, newInstanceId: string): number {
  const { region } = scene.sim.core;
  const longest = (ids: readonly string[], state: string) => Math.max(0, ...ids.map((id) => stayMs(scene, id, state)));
  const snapshots = region.snapshots.all().map((one) => one.id);
  const images = region.images.all().map((one) => one.id);
  const calls = [
    'StopInstances',
    'CreateSnapshots',
    'RegisterImage',
    'RunInstances',
    'DisassociateAddress',
    'AssociateAddress',
  ];
  return (
    stayMs(scene, oldInstanceId, 'stopping') +
    longest(snapshots, 'pending') +
    longest(images, 'pending') +
    stayMs(scene, newInstanceId, 'pending') +
    scene.bootMs +
    scene.policy.recover.settleMs +
    calls.reduce((sum, action) => sum + callMs(scene, action), 0)
  );
}

async function one(seed: number): Promise<Timed> {
  const scene = new RecoveryFixture({ seed });
  const old = scene.seedMember();
  scene.sim.crashInstance(old.instanceId);
  const intent = await scene.begin(old);
  const leader = scene.lead();
  const startedAtMs = scene.clock.monotonicMs();
  const outcome = await scene.run(leader, intent);
  const newInstanceId = scene.activation(MEMBER)?.instanceId;
  if (outcome !== 'finished' || newInstanceId === undefined) throw new Error(`seed ${seed}: ${outcome} ${KEYS.root}`);
  const wallMs = scene.clock.monotonicMs() - startedAtMs;
  return { wallMs, criticalMs: criticalPathMs(scene, old.instanceId, newInstanceId) };
}

/**
 * A whole recovery over cloud-sim at EC2's own pace, in simulated time. It shows what the engine
 * adds to the time of the cloud.
 */
export async function recoveryOverCriticalPath(): Promise<readonly BenchRow[]> {
  const runs: Timed[] = [];
  for (let seed = 1; seed <= SEEDS; seed += 1) runs.push(await one(seed));
  const ratios = runs.map((run) => run.wallMs / run.criticalMs);
  const ratio = median(ratios);
  return [
    {
      what: `recovery ÷ critical path, median of ${SEEDS}`,
      measured: ratio,
      unit: 'ratio',
      budget: '≤ 1.05',
      ok: ratio <= 1.05,
    },
    { what: 'recovery ÷ critical path, worst', measured: Math.max(...ratios), unit: 'ratio', budget: null, ok: null },
    {
      what: 'recovery, median (simulated)',
      measured: median(runs.map((run) => run.wallMs)) / 1_000,
      unit: 's',
      budget: null,
      ok: null,
    },
  ];
}
