import { DEFAULT_LADDER, DEFAULT_POLICY, type GroupPolicy } from '@understudy/shared';
import type { PolicyChange } from '@understudy/shared/testing';
import { pick, streamOf } from './random-streams.ts';

/**
 * How members come back: from snapshots, by the default ladder, by a ladder that waits for EC2's
 * checks (so that it begins with a reboot), by moving their disks, by copies of them, from earlier
 * snapshots where a disk cannot be reached, or with a disk that others share.
 */
export const WAYS = ['snapshots', 'ladder', 'patient', 'reattach', 'copies', 'older', 'shared'] as const;
export type Way = (typeof WAYS)[number];

/** Further types and zones, in which order; null: none. */
export const PLACES = ['zones-first', 'types-first'] as const;
export const EVENTS = ['off', 'on', 'late', 'doubled', 'lost', 'forged'] as const;
export const PREPARED = ['nothing', 'reads', 'trial'] as const;

/** What the seed chooses of a group, where nobody forces it. */
export interface World {
  readonly way: Way;
  readonly places: (typeof PLACES)[number] | null;
  readonly prepare: (typeof PREPARED)[number];
  /** Whether events of EC2 come, and how. */
  readonly events: (typeof EVENTS)[number];
  /** Something is made at EC2 for a suspect. */
  readonly makes: boolean;
  /** The primary private address follows: predecessors are ended before their successors run. */
  readonly follows: boolean;
  /** Some members come without a key, and get it for the identity of their instance. */
  readonly enrols: boolean;
  /** An inventory history is kept. */
  readonly inventory: boolean;
  /** Some hooks run on instances, and are delivered twice, late, and with lost replies. */
  readonly commands: boolean;
}

/**
 * Seven seeds in a row have every way, every second one makes something, of nine one has members
 * whose address follows, of four one an inventory history, of eight one hooks on instances and
 * another one members that enrol; the rest is drawn.
 */
export function worldOf(seed: number): World {
  const random = streamOf(seed, 'world');
  return {
    way: WAYS[seed % WAYS.length] ?? 'snapshots',
    places: pick(random, [null, null, ...PLACES]),
    prepare: pick(random, PREPARED),
    events: pick(streamOf(seed, 'events'), EVENTS),
    makes: seed % 2 === 1,
    follows: seed % 9 === 8,
    enrols: seed % 8 === 5,
    inventory: seed % 4 === 2,
    commands: seed % 8 === 3,
  };
}

const MOVING: Partial<GroupPolicy['recover']> = {
  strategy: 'reattach',
  ladder: { ...DEFAULT_LADDER, rungs: ['reattach', 'snapshot-and-replace'] },
};
const volumes = (change: Partial<GroupPolicy['recover']['volumes']>) => ({
  volumes: { ...DEFAULT_POLICY.recover.volumes, ...change },
});

const BY_WAY: Readonly<Record<Way, PolicyChange>> = {
  snapshots: {},
  ladder: { recover: { ladder: DEFAULT_LADDER } },
  // EC2 says after a minute that the system of a machine is at fault.
  patient: { recover: { ladder: DEFAULT_LADDER }, detect: { confirmForMs: 120_000 } },
  reattach: { recover: MOVING },
  copies: { recover: { ...MOVING, ...volumes({ pin: { all: 'copy' } }) } },
  older: { recover: volumes({ maxDataLossMs: 86_400_000, mixedMoments: true }) },
  shared: { recover: MOVING },
};

const FOLLOWING: PolicyChange = { identity: { primaryAddress: 'follow' } };

/** A failure is confirmed for so long that what is made is there, or is under way. */
const MAKING: PolicyChange = {
  recover: { prepare: { makes: ['snapshot', 'seed', 'capacity'], atOnce: 2, perDay: 200, keptForMs: 300_000 } },
  detect: { confirmForMs: 12_000 },
};

/** The part of the policy that the world decides. `subnets`: one a zone. */
export function worldPolicy(
  { way, places, prepare, makes, follows }: Omit<World, 'events' | 'enrols' | 'inventory' | 'commands'>,
  subnets: readonly string[],
): readonly PolicyChange[] {
  return [
    makes ? MAKING : {},
    follows ? FOLLOWING : {},
    BY_WAY[way],
    { recover: { prepareWhileSuspect: prepare } },
    places === null
      ? {}
      : {
          recover: { places: { subnets: [...subnets], instanceTypes: ['t3.micro', 't3.small'], order: places } },
          guard: { whenZoneLost: 'recover' },
        },
  ];
}
