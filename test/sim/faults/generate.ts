import { REQUEST_KINDS } from '@understudy/shared';
import type { SeededRandom } from '@understudy/shared/testing';
import { between, pick, streamOf } from '../cluster/random-streams.ts';
import type { Way } from '../cluster/world.ts';
import { BRIEF_MS, LONG_MS, OUTAGE_MS, PAUSE_MS } from './durations.ts';
import { FAULT_KINDS, type Fault, type FaultKind, FaultSchema, STAGES, type Stage } from './fault.ts';

export interface GenerateOptions {
  readonly seed: number;
  /** The episode of the run. Each has a list of its own. */
  readonly episode: number;
  readonly members: number;
  readonly coordinators: number;
  /** How long faults may begin. */
  readonly lastsMs: number;
  /** How its members come back. Default: from snapshots. */
  readonly way?: Way | undefined;
}

/** Machines dying is what there must be something of in every episode. */
const TROUBLES: readonly FaultKind[] = ['guest-crash', 'host-failure', 'machine-pause', 'machine-cut-off'];
/**
 * Each class of faults is in an episode, or is not (swarm testing, Groce et al. 2012): some bugs
 * show only when others are silent.
 */
const SWARM_CHANCE = 0.3;
const FIRST_TROUBLE_MS = 45_000;
const TARGETS = STAGES.filter((stage): stage is Exclude<Stage, 'none'> => stage !== 'none');

const ACTIONS = [
  ...['*', 'StopInstances', 'CreateSnapshots', 'RegisterImage', 'CreateNetworkInterface', 'RunInstances', 'CreateTags'],
  ...['AssociateAddress', 'DisassociateAddress', 'TerminateInstances', 'DeleteNetworkInterface', 'DescribeInstances'],
  ...[
    'DescribeSnapshots',
    'DescribeNetworkInterfaces',
    'DescribeAddresses',
    'ModifyInstanceAttribute',
    'DescribeImages',
    'AttachVolume',
    'DetachVolume',
    'CopyVolumes',
    'StartInstances',
    'RebootInstances',
    'DescribeVolumes',
  ],
  ...['AssignPrivateIpAddresses', 'UnassignPrivateIpAddresses', 'AttachNetworkInterface', 'DetachNetworkInterface'],
  ...['AssignIpv6Addresses', 'UnassignIpv6Addresses'],
  ...['route53:ChangeResourceRecordSets', 'route53:ListResourceRecordSets', 'route53:GetChange'],
  ...['elasticloadbalancing:RegisterTargets', 'elasticloadbalancing:DeregisterTargets'],
  'elasticloadbalancing:DescribeTargetHealth',
] as const;

const CALLS = [
  'kv.txn',
  'kv.keepAlive',
  'kv.get',
  'ec2.',
  'ec2.RunInstances',
  'ec2.StopInstances',
  'ec2.AssociateAddress',
];

/** The fault list of one episode: a pure function of the options. */
export function generateFaults(options: GenerateOptions): readonly Fault[] {
  const random = streamOf(options.seed, `faults/${options.episode}`);
  const draft = new Draft(random, options);
  const cells = FAULT_KINDS.length * STAGES.length;
  draft.aim((options.seed * 7 + options.episode) % cells);
  const troubles = between(random, 1, troublesMax(options));
  for (let count = 0; count < troubles; count += 1) draft.trouble();
  if (options.way === 'older') for (const member of ['m2', 'm5']) draft.impair(member);
  for (const kind of FAULT_KINDS) {
    if (TROUBLES.includes(kind) || random.next() > SWARM_CHANCE) continue;
    for (let count = between(random, 1, 2); count > 0; count -= 1) draft.add(kind, draft.someMoment());
  }
  return draft.faults;
}

/** With these many of a fleet down at once, whoever hears the rest does not trust its own ears. */
const MASS_EVERY = 8;

/**
 * Two more die by {@link Draft.aim}. Where most of a fleet is down nobody is replaced (SPEC, S10):
 * that is seen now and then, and a simulation that only holds would prove nothing.
 */
const troublesMax = ({ seed, episode, members }: GenerateOptions): number =>
  (seed + episode) % MASS_EVERY === 0
    ? Math.max(2, Math.min(5, Math.ceil(members / 3)))
    : Math.max(1, Math.floor(members / 3) - 1);

class Draft {
  readonly faults: Fault[] = [];
  readonly #random: SeededRandom;
  readonly #options: GenerateOptions;

  constructor(random: SeededRandom, options: GenerateOptions) {
    this.#random = random;
    this.#options = options;
  }

  /**
   * Sees to it that, seed after seed, every fault meets every stage: members die so that there is
   * that stage, something for the fault to hit, and something after it that it can still spoil.
   */
  aim(cell: number): void {
    const kind = FAULT_KINDS[Math.floor(cell / STAGES.length)] ?? 'guest-crash';
    const stage = STAGES[cell % STAGES.length] ?? 'none';
    const random = this.#random;
    const needsHistory = kind === 'operator-starts-old';
    this.#crash('m1', FIRST_TROUBLE_MS);
    // m3 has an address to move. m4 can be slower to recover than m1, so
    // that something is left to spoil.
    if (needsHistory) this.#crash('m3', FIRST_TROUBLE_MS + 240_000);
    else this.#crash('m4', FIRST_TROUBLE_MS + between(random, 45_000, 150_000));
    if (kind === 'operator-clears-holds')
      for (const member of ['m2', 'm3']) this.#crash(member, FIRST_TROUBLE_MS + 11_000);
    if (stage === 'revoke') this.add('spoiled-replacement', { atMs: FIRST_TROUBLE_MS }, { count: 2 });
    const onMachines =
      TROUBLES.includes(kind) || kind === 'hook-hang' || kind.startsWith('agent-') || kind.startsWith('machine-clock');
    const target = onMachines ? pick(random, ['m2', 'replacement']) : needsHistory ? 'm1' : 'struck';
    const fixed = {
      action: '*',
      member: target,
      coordinator: 'leader',
      zone: 0,
      call: pick(random, ['kv.', 'ec2.']),
      nth: 1,
    };
    if (stage === 'none') this.add(kind, { atMs: between(random, 5_000, FIRST_TROUBLE_MS - 10_000) }, fixed);
    else this.add(kind, { stage, nth: needsHistory ? 2 : 1, afterMs: this.#soon() }, fixed);
  }

  #crash(member: string, atMs: number): void {
    this.add('guest-crash', { atMs }, { member });
  }

  trouble(): void {
    this.add(pick(this.#random, TROUBLES), { atMs: between(this.#random, FIRST_TROUBLE_MS, this.#options.lastsMs) });
  }

  impair(member: string): void {
    this.add('volumes-impaired', { atMs: between(this.#random, FIRST_TROUBLE_MS, this.#options.lastsMs) }, { member });
  }

  someMoment(): Fault['when'] {
    const random = this.#random;
    if (random.next() < 0.4) return { atMs: between(random, 0, this.#options.lastsMs) };
    return { stage: pick(random, TARGETS), nth: between(random, 1, 3), afterMs: this.#soon() };
  }

  /** Often at once, else within the time a step takes. */
  #soon(): number {
    return this.#random.next() < 0.4 ? 0 : between(this.#random, 0, 6_000);
  }

  add(kind: FaultKind, moment: Fault['when'], fixed: Readonly<Record<string, unknown>> = {}): void {
    const wanted = { ...PARAMETERS[kind](this.#random, this.#options), ...fixed };
    const id = `f${this.#options.episode}-${this.faults.length + 1}`;
    // What is fixed may not belong to this kind: only its own fields are taken.
    const shape = FaultSchema.options.find((option) => option.shape.kind.value === kind)?.shape ?? {};
    const own = Object.fromEntries(Object.entries(wanted).filter(([name]) => name in shape));
    this.faults.push(FaultSchema.parse({ id, kind, when: moment, ...own }));
  }
}

type Parameters = (random: SeededRandom, options: GenerateOptions) => Readonly<Record<string, unknown>>;

const anyMember = (random: SeededRandom, { members }: GenerateOptions) =>
  random.next() < 0.3 ? 'struck' : `m${between(random, 1, members)}`;
const anyCoordinator = (random: SeededRandom, { coordinators }: GenerateOptions) =>
  random.next() < 0.5 ? 'leader' : `c${between(random, 1, coordinators)}`;
const anyZone = (random: SeededRandom) => between(random, 0, 2);

const ofMember: Parameters = (random, options) => ({ forMs: LONG_MS(random), member: anyMember(random, options) });
const ofCoordinator =
  (forMs: (random: SeededRandom) => number): Parameters =>
  (random, options) => ({ forMs: forMs(random), coordinator: anyCoordinator(random, options) });
const ofApi: Parameters = (random) => ({
  forMs: LONG_MS(random),
  action: pick(random, ACTIONS),
  times: between(random, 1, 3),
  byMs: between(random, 1_000, 90_000),
});
const ofZone: Parameters = (random) => ({ forMs: OUTAGE_MS(random), zone: anyZone(random) });

/** The rest of each fault: how long, how bad, whom. */
const PARAMETERS: Readonly<Record<FaultKind, Parameters>> = {
  'guest-crash': ofMember,
  'host-failure': ofMember,
  'machine-pause': (random, options) => ({ forMs: PAUSE_MS(random), member: anyMember(random, options) }),
  'machine-cut-off': ofMember,
  'spoiled-replacement': (random) => ({ forMs: 600_000, count: between(random, 1, 2) }),
  'net-loss': (random) => ({ forMs: LONG_MS(random), ratio: pick(random, [0.02, 0.1, 0.3]) }),
  'net-delay': (random) => ({ forMs: LONG_MS(random), delayMs: between(random, 20, 800) }),
  'net-duplicate': (random) => ({ forMs: LONG_MS(random), ratio: pick(random, [0.1, 0.5]) }),
  'net-reorder': (random) => ({ forMs: LONG_MS(random), withinMs: between(random, 1_500, 2_500) }),
  'net-cut-one-way': (random, options) => ({
    ...ofCoordinator(LONG_MS)(random, options),
    towards: pick(random, ['agents', 'coordinator']),
  }),
  'net-member-cut': (random, options) => ({
    ...ofCoordinator(LONG_MS)(random, options),
    member: anyMember(random, options),
  }),
  'zone-partition': (random) => ({ forMs: LONG_MS(random), zone: anyZone(random) }),
  'coordinator-crash': ofCoordinator(LONG_MS),
  'agent-crash': (random, options) => ({ forMs: BRIEF_MS(random), member: anyMember(random, options) }),
  'agent-pause': (random, options) => ({ forMs: PAUSE_MS(random), member: anyMember(random, options) }),
  'second-agent': (random, options) => ({ forMs: BRIEF_MS(random), member: anyMember(random, options) }),
  'hook-hang': ofMember,
  'coordinator-pause': ofCoordinator(PAUSE_MS),
  'pause-before-call': (random, options) => ({
    ...ofCoordinator(PAUSE_MS)(random, options),
    call: pick(random, CALLS),
    nth: between(random, 1, 5),
  }),
  'clock-rate': (random, options) => ({
    ...ofCoordinator(OUTAGE_MS)(random, options),
    rate: pick(random, [0.99, 0.995, 1.005, 1.01]),
  }),
  'clock-step': (random, options) => ({
    ...ofCoordinator(BRIEF_MS)(random, options),
    byMs: pick(random, [-600_000, -30_000, -2_000, 2_000, 30_000, 600_000]),
  }),
  'machine-clock-rate': (random, options) => ({
    forMs: OUTAGE_MS(random),
    member: anyMember(random, options),
    rate: pick(random, [0.99, 0.995, 1.005, 1.01]),
  }),
  'machine-clock-step': (random, options) => ({
    forMs: 0,
    member: anyMember(random, options),
    byMs: pick(random, [-3_600_000, -30_000, 30_000, 3_600_000]),
  }),
  'etcd-leader-loss': (random) => ({ forMs: between(random, 1_000, 4_000) }),
  'etcd-quorum-loss': (random) => ({ forMs: LONG_MS(random) }),
  'etcd-slow': (random) => ({ forMs: LONG_MS(random), latencyMs: between(random, 50, 900) }),
  'etcd-cut': (random, options) => ({
    ...ofCoordinator(LONG_MS)(random, options),
    direction: pick(random, ['both', 'requests', 'replies']),
  }),
  'etcd-lost-reply': (random, options) => ({
    ...ofCoordinator(LONG_MS)(random, options),
    times: between(random, 1, 3),
  }),
  'etcd-refuses-writes': (random) => ({ forMs: LONG_MS(random) }),
  'etcd-compaction': () => ({ forMs: 0 }),
  'lease-late': (random) => ({ forMs: LONG_MS(random), byMs: between(random, 500, 30_000) }),
  'lease-early': ofCoordinator(BRIEF_MS),
  'lease-lie': ofCoordinator(LONG_MS),
  'api-throttle': ofApi,
  'api-error': ofApi,
  'api-lost-request': ofApi,
  'api-lost-reply': ofApi,
  'api-late-landing': ofApi,
  'api-stale-read': (random, options) => ({ ...ofApi(random, options), byMs: between(random, 500, 4_000) }),
  'api-launch-dies': (random) => ({ forMs: 600_000, times: between(random, 1, 2) }),
  'stuck-stopping': (random) => ({ forMs: OUTAGE_MS(random), times: between(random, 1, 2) }),
  'snapshot-error': (random) => ({ forMs: 600_000, times: between(random, 1, 2) }),
  'api-foreign-answer': (random, options) => ({ ...ofApi(random, options), applied: random.next() < 0.5 }),
  'api-half-fails': (random) => ({ forMs: OUTAGE_MS(random), ratio: pick(random, [0.3, 0.5]) }),
  'no-capacity': ofZone,
  'zone-outage': ofZone,
  'operator-pause': (random) => ({
    forMs: LONG_MS(random),
    scope: pick(random, ['global', 'group']),
    says: pick(random, ['scope', 'kind']),
  }),
  'operator-stop': (random, options) => ({ forMs: OUTAGE_MS(random), member: anyMember(random, options) }),
  'operator-clears-holds': () => ({ forMs: 0 }),
  'operator-starts-old': (random, options) => ({ forMs: OUTAGE_MS(random), member: anyMember(random, options) }),
  'operator-moves-address': ofMember,
  'operator-releases-address': ofMember,
  'operator-keeps-address': ofMember,
  'operator-commands': (random, options) => ({ ...ofMember(random, options), command: pick(random, REQUEST_KINDS) }),
  'coordinator-namesake': ofCoordinator(OUTAGE_MS),
  'zone-failure': (random, options) => ({
    ...ofZone(random, options),
    how: pick(random, ['power', 'hang']),
    instances: pick(random, ['come-back', 'stay-down']),
  }),
  'auto-recovery': (random, options) => ({ forMs: between(random, 2_000, 60_000), member: anyMember(random, options) }),
  'stuck-detach': (random) => ({ forMs: LONG_MS(random), times: between(random, 1, 2) }),
  'volumes-impaired': (random, options) => ({ forMs: OUTAGE_MS(random), member: anyMember(random, options) }),
  'late-writes': (random) => ({ forMs: 600_000, times: between(random, 1, 2) }),
  'operator-moves-record': (random, options) => ({
    ...ofMember(random, options),
    to: pick(random, ['elsewhere', 'retired']),
  }),
  'operator-disables-key': (random, options) => ({ forMs: OUTAGE_MS(random), member: anyMember(random, options) }),
};
