import type { Random } from '@understudy/shared';

/** Milliseconds, inclusive lower and exclusive upper bound of a uniform draw. */
export type Range = readonly [minMs: number, maxMs: number];

/**
 * Every duration of the simulated Region, in ms at speed 1. The sources are published measurements
 * and suggestions (boot benchmarks, user guide); AWS publishes no figures of its own.
 * `api.<Action>.request|response` falls back to `api.default.*`.
 */
export const LATENCY = {
  'api.default.request': [15, 60],
  'api.default.response': [15, 60],
  'api.RunInstances.request': [400, 800],
  'api.RunInstances.response': [800, 1_400],
  'api.AssociateAddress.response': [1_000, 3_000],
  'api.CreateSnapshots.response': [300, 900],
  'api.RegisterImage.response': [300, 900],

  'instance.pending': [3_000, 9_000],
  'instance.stop-graceful': [15_000, 40_000],
  'instance.stop-skip-os': [5_000, 15_000],
  /**
   * A guest that does not react: "a few minutes" until the hard stop (user guide, stop methods).
   */
  'instance.stop-unresponsive': [120_000, 240_000],
  'instance.stop-force-stuck': [600_000, 600_000],
  'instance.terminate': [25_000, 60_000],
  'instance.terminate-skip-os': [10_000, 25_000],
  'instance.reboot': [8_000, 20_000],
  'instance.checks-ok': [90_000, 150_000],
  'instance.checks-impaired': [60_000, 120_000],
  'instance.terminated-visible': [3_600_000, 3_600_000],

  'volume.create': [2_000, 5_000],
  'volume.attach': [2_000, 6_000],
  'volume.detach': [2_000, 6_000],
  'volume.delete': [1_000, 3_000],
  /**
   * Blocks that are fetched in the background. AWS gives no figure for the default rate; a copy
   * takes up to six hours for the first TiB (EBS user guide, Copy a volume).
   */
  'volume.initialize-per-gib': [25_000, 100_000],
  'volume.copy-initialize-per-gib': [10_000, 21_000],
  /**
   * How much longer a boot takes per GiB of a volume whose blocks are still to be fetched. AWS says
   * "a significant increase in latency" and no figure (EBS user guide, Initialize volumes). None
   * unless it is asked for.
   */
  'volume.first-read-per-gib': [0, 0],

  /** Exchange of a root volume under a running instance. AWS gives no figure. */
  'root-volume.pending': [1_000, 3_000],
  'root-volume.replace': [15_000, 45_000],

  'snapshot.minimum': [20_000, 26_000],
  'snapshot.per-changed-gib': [10_000, 10_000],
  'snapshot.interval-per-volume': [15_000, 15_000],
  'image.pending': [1_500, 4_000],

  'network-interface.create': [500, 1_500],
  'network-interface.attach': [2_000, 5_000],
  'network-interface.detach': [2_000, 5_000],
  /** A private address that was moved reaches the guest's metadata this late. */
  'network-interface.remap': [1_000, 5_000],

  /** A zone takes no further change while it processes one (PriorRequestNotComplete). */
  'route53.busy': [100, 600],
  /** "Generally within 60 seconds" (API reference, ChangeResourceRecordSets). */
  'route53.insync': [10_000, 60_000],

  /** From what happens to the queue. AWS gives no figure: best effort. */
  'events.delivery': [200, 1_200],
  /** A call's way through CloudTrail, before that. Minutes, and no figure either. */
  'events.api-call': [60_000, 300_000],

  /** Run Command, from the call to the agent. AWS gives no figure of these four. */
  'ssm.delivery': [200, 1_500],
  'ssm.delivery-again': [10_000, 20_000],
  /** InvocationDoesNotExist until then. */
  'ssm.shown': [0, 1_000],
  'ssm.cancel': [500, 3_000],

  /**
   * A created resource is NotFound to a reader for this long (EC2 developer guide, eventual
   * consistency).
   */
  'consistency.created': [0, 4_000],
  /** A changed resource shows its former state to a reader for this long. */
  'consistency.changed': [0, 500],
  /** Stop and termination protection take effect this late (user guide, stop protection). */
  'consistency.protection': [0, 4_000],

  /**
   * How long a caller hangs when a reply is lost, unless it gives up earlier. It is not divided by
   * the speed, because it is the caller's time.
   */
  'fault.hang': [5_000, 5_000],
} as const satisfies Record<string, Range>;

export type LatencyName = keyof typeof LATENCY;
export type LatencyOverrides = Readonly<
  Partial<Record<LatencyName | `api.${string}.${'request' | 'response'}`, Range>>
>;

/** True for the name of a row, or of a leg of one action. */
export const isLatencyName = (name: string): boolean =>
  Object.hasOwn(LATENCY, name) || /^api\.[A-Za-z]+\.(request|response)$/.test(name);

/** Draws durations from the table, divided by the speed. */
export class LatencyModel {
  readonly speed: number;
  readonly #atStart: Readonly<Record<string, Range>>;
  #table: Readonly<Record<string, Range>>;
  readonly #random: Random;

  constructor(random: Random, speed: number, overrides: LatencyOverrides = {}) {
    this.speed = speed;
    this.#random = random;
    this.#atStart = { ...LATENCY, ...(overrides as Readonly<Record<string, Range>>) };
    this.#table = this.#atStart;
  }

  /** Other rows from now on. Null: as it was at the start. What is under way keeps its duration. */
  set(rows: Readonly<Record<string, Range | null>>): void {
    const changed = { ...this.#table };
    for (const [name, range] of Object.entries(rows)) {
      const wanted = range ?? this.#atStart[name];
      if (wanted) changed[name] = wanted;
      else delete changed[name];
    }
    this.#table = changed;
  }

  range(name: LatencyName): Range {
    return this.#table[name] ?? LATENCY[name];
  }

  sampleMs(name: LatencyName): number {
    return this.#draw(this.range(name)) / this.speed;
  }

  apiMs(action: string, leg: 'request' | 'response'): number {
    const range = this.#table[`api.${action}.${leg}`] ?? this.range(`api.default.${leg}`);
    return this.#draw(range) / this.speed;
  }

  hangMs(): number {
    return this.#draw(this.range('fault.hang'));
  }

  #draw([minMs, maxMs]: Range): number {
    return minMs + this.#random.next() * (maxMs - minMs);
  }
}
