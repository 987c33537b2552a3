import { LATENCY, type LatencyOverrides } from '@understudy/cloud-sim';
import { DEFAULT_POLICY } from '@understudy/shared';
import { type PolicyChange } from '@understudy/shared/testing';
import { MEMBER, RecoveryFixture, type RecoveryFixtureOptions } from '../scenarios/recovery/recovery-fixture.ts';
import { hungMember, type InPlaceName } from '../scenarios/recovery/in-place-scene.ts';
import type { BenchRow } from './bench.ts';

type Figure = keyof typeof LATENCY;

/** Each duration in the middle of its range, so that the figures are exact. */
const MIDDLES: Readonly<Record<string, number>> = Object.fromEntries(
  Object.entries(LATENCY).map(([name, [minMs, maxMs]]) => [name, (minMs + maxMs) / 2]),
);
const EXACT: LatencyOverrides = Object.fromEntries(Object.entries(MIDDLES).map(([name, ms]) => [name, [ms, ms]]));

const ms = (name: Figure): number => MIDDLES[name] ?? 0;
/** There and back. */
const callMs = (action: string): number =>
  ['request', 'response'].reduce(
    (sum, leg) => sum + (MIDDLES[`api.${action}.${leg}`] ?? MIDDLES[`api.default.${leg}`] ?? 0),
    0,
  );

interface Variant {
  readonly name: string;
  readonly strategy: 'snapshot-and-replace' | 'reattach';
  readonly path: 'snapshot' | 'reattach' | 'copy';
  readonly dataVolumes: number;
  readonly sizeGiB: number;
}

interface Timed {
  readonly wallMs: number;
  readonly criticalMs: number;
  readonly reads: number;
  readonly changes: number;
}

const stoppedMs = callMs('StopInstances') + ms('instance.stop-skip-os');
/** A twentieth of each volume has changed since the backup. */
const capturedMs = ({ sizeGiB }: Variant): number =>
  callMs('CreateSnapshots') + Math.max(ms('snapshot.minimum'), 0.05 * sizeGiB * ms('snapshot.per-changed-gib'));
const permitMs = callMs('CreateNetworkInterface') + ms('network-interface.create');
const launchedMs = callMs('RunInstances') + ms('instance.pending');
const detachedMs = callMs('DetachVolume') + ms('volume.detach');

/** From the fence to a machine that boots with its disks: the longest chain that EC2 allows. */
function madeMs(variant: Variant): number {
  if (variant.path === 'snapshot')
    return capturedMs(variant) + callMs('RegisterImage') + ms('image.pending') + launchedMs;
  const disksMs = variant.path === 'copy' ? callMs('CopyVolumes') + ms('volume.create') : detachedMs;
  const seedMs = permitMs + launchedMs + stoppedMs + detachedMs;
  const assembledMs = callMs('AttachVolume') + ms('volume.attach') + callMs('StartInstances') + ms('instance.pending');
  return Math.max(disksMs, seedMs) + assembledMs;
}

const criticalMs = (variant: Variant, scene: RecoveryFixture): number =>
  stoppedMs +
  madeMs(variant) +
  scene.bootMs +
  scene.policy.recover.settleMs +
  callMs('DisassociateAddress') +
  callMs('AssociateAddress');

function optionsOf({ strategy, path, dataVolumes, sizeGiB }: Variant): RecoveryFixtureOptions {
  const volumes = { ...DEFAULT_POLICY.recover.volumes, ...(path === 'copy' && { pin: { all: path } as const }) };
  const policy: PolicyChange = { recover: { strategy, volumes } };
  return { latency: EXACT, policy, dataVolumes, sizeGiB };
}

async function timed(variant: Variant): Promise<Timed> {
  const options = optionsOf(variant);
  const scene = new RecoveryFixture(options);
  const old = scene.seedMember(undefined, options);
  scene.sim.seed('CreateSnapshots', { InstanceSpecification: { InstanceId: old.instanceId } });
  await scene.clock.advance(3_600_000);
  scene.sim.crashInstance(old.instanceId);
  const intent = await scene.begin(old);
  const before = scene.sim.log.lastSeq;
  const startedAtMs = scene.clock.monotonicMs();
  const outcome = await scene.run(scene.lead(), intent);
  if (outcome !== 'finished' || scene.activation(MEMBER)?.instanceId === old.instanceId)
    throw new Error(`${variant.name}: ${outcome} ${JSON.stringify(scene.hold())}`);
  const calls = scene.sim.log.events(before).filter((event) => event.kind === 'call');
  const reads = calls.filter(({ action }) => action.startsWith('Describe')).length;
  return {
    wallMs: scene.clock.monotonicMs() - startedAtMs,
    criticalMs: criticalMs(variant, scene),
    ...{ reads, changes: calls.length - reads },
  };
}

const VARIANTS: readonly Variant[] = ([1, 2] as const).flatMap((dataVolumes) => [
  { name: 'snapshot', strategy: 'snapshot-and-replace', path: 'snapshot', dataVolumes, sizeGiB: 10 },
  { name: 'reattach', strategy: 'reattach', path: 'reattach', dataVolumes, sizeGiB: 10 },
  { name: 'copy', strategy: 'reattach', path: 'copy', dataVolumes, sizeGiB: 10 },
]);

const row = (what: string, measured: number, unit: string, budget: number | null = null): BenchRow => ({
  ...{ what, measured, unit },
  budget: budget === null ? null : `≤ ${budget.toFixed(2)}`,
  ok: budget === null ? null : measured <= budget,
});

async function variantRows(variant: Variant): Promise<readonly BenchRow[]> {
  const { wallMs, criticalMs: leastMs, reads, changes } = await timed(variant);
  const what = `${variant.name}, ${variant.dataVolumes} data volume(s)`;
  return [
    row(`${what}: recovery ÷ critical path`, wallMs / leastMs, 'ratio', 1.05),
    row(`${what}: recovery (simulated)`, wallMs / 1_000, 's'),
    row(`${what}: EC2 calls that change`, changes, 'calls'),
    row(`${what}: EC2 reads`, reads, 'calls'),
  ];
}

/** A machine that hangs comes back in its place. */
async function inPlaceRows(name: InPlaceName): Promise<readonly BenchRow[]> {
  const { scene } = await hungMember(name, { latency: EXACT });
  const before = scene.sim.log.lastSeq;
  const startedAtMs = scene.clock.monotonicMs();
  const outcome = await scene.run(scene.lead(), scene.intent());
  if (scene.history()[0]?.outcome !== 'mended') throw new Error(`${name}: ${outcome}`);
  const wallMs = scene.clock.monotonicMs() - startedAtMs;
  const rebootedMs = callMs('RebootInstances') + ms('instance.reboot');
  const restartedMs = stoppedMs + callMs('StartInstances') + ms('instance.pending');
  const leastMs = (name === 'reboot' ? rebootedMs : restartedMs) + scene.bootMs + scene.policy.recover.settleMs;
  const calls = scene.sim.log.events(before).filter((event) => event.kind === 'call').length;
  return [
    row(`${name}: recovery ÷ critical path`, wallMs / leastMs, 'ratio', 1.05),
    row(`${name}: recovery (simulated)`, wallMs / 1_000, 's'),
    row(`${name}: EC2 calls`, calls, 'calls'),
  ];
}

/** What moving the disks saves against copying them by snapshot, by their size. */
async function sizeRows(sizeGiB: number): Promise<readonly BenchRow[]> {
  const of = { dataVolumes: 1, sizeGiB };
  const moved = await timed({ ...of, name: 'reattach', strategy: 'reattach', path: 'reattach' });
  const captured = await timed({ ...of, name: 'snapshot', strategy: 'snapshot-and-replace', path: 'snapshot' });
  return [
    row(`${sizeGiB} GiB: reattach (simulated)`, moved.wallMs / 1_000, 's'),
    row(`${sizeGiB} GiB: snapshot (simulated)`, captured.wallMs / 1_000, 's'),
    row(`${sizeGiB} GiB: reattach ÷ snapshot`, moved.wallMs / captured.wallMs, 'ratio'),
  ];
}

/**
 * Recoveries on each path of disks over cloud-sim, in simulated time and with each of its durations
 * in the middle of its range. The critical path is what EC2 itself takes for the longest chain of
 * actions that have to follow one another.
 */
export async function recoveryPaths(): Promise<readonly BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const name of ['reboot', 'stop-start'] as const) rows.push(...(await inPlaceRows(name)));
  for (const variant of VARIANTS) rows.push(...(await variantRows(variant)));
  for (const sizeGiB of [8, 100, 1_000]) rows.push(...(await sizeRows(sizeGiB)));
  return rows;
}
