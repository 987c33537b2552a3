import type { Allowance } from './flatness.ts';

const MIB = 1_048_576;

export interface Measure {
  readonly label: string;
  readonly unit: 'MiB' | '' | '% of a core';
  /** Size of one unit of the table, in units of the samples. */
  readonly unitSize: number;
  /** Null: shown, not judged. */
  readonly allowance: Allowance | null;
}

const count = <A extends Allowance | null>(label: string, allowance: A) =>
  ({ label, unit: '', unitSize: 1, allowance }) as const;

/** Objects and keys swing with the recoveries that are open at the moment of a sample. */
const SWINGING: Allowance = { share: 0.1, floor: 4 };

/**
 * Everything that is sampled. The allowances are part of the promise: docs/soak.md repeats them.
 */
export const MEASURES = {
  rssBytes: { label: 'memory (RSS)', unit: 'MiB', unitSize: MIB, allowance: { share: 0.05, floor: 4 * MIB } },
  /** etcd's memory includes Go's garbage, and the database file, which is mapped into memory. */
  storeRssBytes: { label: 'memory (RSS)', unit: 'MiB', unitSize: MIB, allowance: { share: 0.1, floor: 8 * MIB } },
  heapBytes: { label: 'JavaScript heap', unit: 'MiB', unitSize: MIB, allowance: { share: 0.1, floor: 4 * MIB } },
  openFiles: count('file descriptors', { share: 0.1, floor: 4 }),
  /**
   * Coordinators and cloud-sim have up to 50 kept connections between them, of which idle ones
   * close after 72 s.
   */
  pooledFiles: count('file descriptors', { share: 0.2, floor: 8 }),
  resources: count('timers, sockets, requests', { share: 0.1, floor: 4 }),
  cpuShare: { label: 'CPU', unit: '% of a core', unitSize: 0.01, allowance: { share: 0.25, floor: 0.03 } },
  databaseBytes: { label: 'database, on disk', unit: 'MiB', unitSize: MIB, allowance: { share: 0.05, floor: MIB } },
  databaseUsedBytes: { label: 'database, in use', unit: 'MiB', unitSize: MIB, allowance: { share: 0.1, floor: MIB } },
  revisionsKept: count('revisions kept', { share: 0.25, floor: 500 }),
  revision: count('revision', null),
  coordinators: count('coordinators/', SWINGING),
  opinions: count('opinions/', SWINGING),
  judgements: count('judgements/', SWINGING),
  members: count('members/', SWINGING),
  activations: count('activations/', SWINGING),
  intents: count('intents/', SWINGING),
  journal: count('journal/', { share: 0.1, floor: 20 }),
  holds: count('holds/', SWINGING),
  history: count('history/', SWINGING),
  allKeys: count('all keys', { share: 0.1, floor: 20 }),
  instances: count('instances, not terminated', SWINGING),
  volumes: count('volumes', { share: 0.1, floor: 8 }),
  snapshots: count('snapshots', { share: 0.1, floor: 8 }),
  images: count('images', SWINGING),
  networkInterfaces: count('network interfaces', SWINGING),
} as const satisfies Record<string, Measure>;

export type MeasureName = keyof typeof MEASURES;

export const measureOf = (name: MeasureName): Measure => MEASURES[name];
