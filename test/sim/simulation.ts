import { historyFaults } from '@understudy/inventory/testing';
import type { MemberId } from '@understudy/shared';
import { SimulatedCluster, type ClusterShape } from './cluster/simulated-cluster.ts';
import { Coverage } from './faults/coverage.ts';
import type { Fault } from './faults/fault.ts';
import { generateFaults } from './faults/generate.ts';
import { type FaultOutcome, Injector } from './faults/injector.ts';
import { holdOf, lastReleaseAtMs, leftovers, strayAddresses, unsettled } from './invariants/end-state.ts';
import { strayIdentities } from './invariants/carried.ts';
import { owedHooks } from './invariants/hooks.ts';
import type { InvariantId, Violation } from './invariants/invariant.ts';
import { WATCHERS } from './invariants/watchers.ts';
import { Tally } from './tally.ts';
import { Trace } from './trace.ts';
import { attendTo } from './cluster/attending-operator.ts';
import { type World, worldOf } from './cluster/world.ts';

/** Everything that decides a run. The same value gives the same run. */
export interface RunSpec extends ClusterShape {
  readonly days: number;
  /** Instead of what the seed would generate: the faults of each episode. */
  readonly faults?: readonly (readonly Fault[])[];
}

export interface RunResult {
  readonly spec: RunSpec;
  readonly violations: readonly Violation[];
  readonly traceHash: string;
  readonly lastLines: readonly string[];
  readonly outcomes: readonly FaultOutcome[];
  readonly coverage: Coverage;
  readonly tally: Tally;
  /** Looks at services, by what they showed; none unless the cluster has probes. */
  readonly looks: SimulatedCluster['looks'];
  /** What became of requests for keys; empty unless members enrol. */
  readonly enrolment: Readonly<Record<string, number>>;
  readonly simulatedMs: number;
  readonly eventCount: number;
  /** The faults of the episodes that were begun. */
  readonly faults: readonly (readonly Fault[])[];
}

export interface RunOptions {
  /** Each line of the trace as it happens. */
  readonly print?: (line: string) => void;
  /** Go on after a violation. Default: the run ends with the first one. */
  readonly goOn?: boolean;
  /** Asked after every event; true ends the run (a person pressed Ctrl-C). */
  readonly stop?: () => boolean;
}

/** Where the seed gives the faults, it gives the group as well, unless that is forced. */
const worldWanted = ({ seed, faults, ladder, reattach }: RunSpec): Partial<World> =>
  faults !== undefined || ladder === true || reattach === true ? {} : worldOf(seed);

const DAY_MS = 86_400_000;
/** Longer than the boot grace: the machines are meant to have been there for long. */
const WARM_UP_MS = 130_000;
/** One episode: this long things break … */
export const FAULTS_LAST_MS = 1_500_000;
/**
 * … then everything is healed, and within this time every member has to be well or visibly held …
 */
const CONVERGE_WITHIN_MS = 2_700_000;
/** … and what retention has released is collected that soon after. */
const COLLECT_WITHIN_MS = 600_000;
/** Retention, and the largest step of a wall clock. */
const RELEASE_WITHIN_MS = 5_400_000;
const LOOK_EVERY_MS = 5_000;
const LAST_LINES = 60;

export async function simulate(spec: RunSpec, options: RunOptions = {}): Promise<RunResult> {
  return new Simulation(spec, options).run();
}

class Simulation {
  readonly #spec: RunSpec;
  readonly #options: RunOptions;
  readonly #cluster: SimulatedCluster;
  readonly #injector: Injector;
  readonly #trace: Trace;
  readonly #tally: Tally;
  readonly #violations: Violation[] = [];
  readonly #outcomes: FaultOutcome[] = [];
  readonly #coverage = new Coverage();
  readonly #faults: (readonly Fault[])[] = [];

  constructor(spec: RunSpec, options: RunOptions) {
    // Kept with what the run gives back: a list of its faults has the same cluster again.
    const ofSeed = spec.faults === undefined;
    const { encrypted = ofSeed, identities = ofSeed } = spec;
    this.#spec = { ...worldWanted(spec), ...spec, encrypted, identities };
    this.#options = options;
    this.#trace = new Trace(options.print ?? null);
    this.#cluster = new SimulatedCluster(this.#spec);
    this.#tally = new Tally(this.#cluster);
    this.#cluster.listen((clusterEvent, nowMs) => this.#trace.onClusterEvent(clusterEvent, nowMs));
    for (const make of WATCHERS) {
      const watcher = make(this.#cluster, (invariant, text) => this.#report(invariant, text));
      this.#cluster.listen((clusterEvent, nowMs) => watcher.onClusterEvent(clusterEvent, nowMs));
    }
    this.#cluster.listen((clusterEvent) => this.#tally.onClusterEvent(clusterEvent));
    this.#injector = new Injector(this.#cluster);
  }

  async run(): Promise<RunResult> {
    const { kernel } = this.#cluster;
    this.#cluster.begin();
    await this.#pass(WARM_UP_MS);
    const untilMs = this.#spec.days * DAY_MS;
    for (let episode = 0; !this.#ended && (episode === 0 || kernel.monotonicMs() < untilMs); episode += 1)
      await this.#episode(episode);
    return {
      spec: this.#spec,
      violations: this.#violations,
      traceHash: this.#trace.hash,
      lastLines: this.#trace.last(LAST_LINES),
      outcomes: this.#outcomes,
      coverage: this.#coverage,
      tally: this.#tally,
      looks: this.#cluster.looks,
      enrolment: { ...this.#cluster.enrolment?.counts, ...this.#cluster.replayer?.counts },
      simulatedMs: kernel.monotonicMs(),
      eventCount: kernel.eventCount,
      faults: this.#faults,
    };
  }

  #report(invariant: InvariantId, text: string): void {
    this.#violations.push({ invariant, text, atMs: this.#cluster.kernel.monotonicMs() });
  }

  get #ended(): boolean {
    return (this.#violations.length > 0 && this.#options.goOn !== true) || this.#options.stop?.() === true;
  }

  #pass(forMs: number): Promise<void> {
    const { kernel } = this.#cluster;
    return kernel.runUntil(kernel.monotonicMs() + forMs, () => this.#ended);
  }

  async #episode(episode: number): Promise<void> {
    const faults = this.#faultsOf(episode);
    this.#faults.push(faults);
    this.#injector.arm(faults);
    await this.#pass(FAULTS_LAST_MS);
    this.#injector.heal();
    this.#cluster.heal();
    for (const outcome of this.#injector.outcomes()) {
      this.#outcomes.push(outcome);
      this.#coverage.note(outcome);
    }
    this.#injector.forget();
    if (this.#ended) return;
    await this.#converge();
    if (!this.#ended) await this.#collect();
  }

  #faultsOf(episode: number): readonly Fault[] {
    const { seed, members, coordinators, faults, way } = this.#spec;
    return faults
      ? (faults[episode] ?? [])
      : generateFaults({ seed, episode, members, coordinators, lastsMs: FAULTS_LAST_MS - 120_000, way });
  }

  /** I10, I6. After a while an operator looks at what is held and asks for another try. */
  async #converge(): Promise<void> {
    const { kernel, members } = this.#cluster;
    const beganAtMs = kernel.monotonicMs();
    let cleared = false;
    while (!this.#ended && kernel.monotonicMs() - beganAtMs < CONVERGE_WITHIN_MS) {
      await this.#pass(LOOK_EVERY_MS);
      const passedMs = kernel.monotonicMs() - beganAtMs;
      if (!cleared && passedMs > CONVERGE_WITHIN_MS / 3) {
        cleared = true;
        for (const member of members) this.#attend(member);
      }
      const open = members.filter((member) => !this.#isWell(member));
      if (open.length === 0) break;
    }
    if (this.#ended) return;
    for (const member of members) {
      const why = unsettled(this.#cluster, member);
      if (why !== null) this.#report('I10', `${member}: ${why}`);
      else if (!this.#isWell(member)) this.#tally.heldAtEnd(holdOf(this.#cluster, member)?.reason ?? '?');
    }
    for (const stray of [...strayAddresses(this.#cluster), ...strayIdentities(this.#cluster)])
      this.#report('I6', stray);
    for (const owed of owedHooks(this.#cluster)) this.#report('I13', owed);
    const { inventory } = this.#cluster;
    if (inventory) for (const fault of await historyFaults(inventory)) this.#report('I15', fault);
  }

  /** What an operator does about a hold: what it asks for, then away with it. */
  #attend(member: MemberId): void {
    const hold = holdOf(this.#cluster, member);
    if (!hold) return;
    attendTo(this.#cluster, member, hold.reason);
    this.#cluster.remove(this.#cluster.keys.hold(member));
  }

  #isWell(member: MemberId): boolean {
    return unsettled(this.#cluster, member) === null && holdOf(this.#cluster, member) === null;
  }

  /** I7. */
  async #collect(): Promise<void> {
    const { kernel } = this.#cluster;
    const releasedAtMs = lastReleaseAtMs(this.#cluster);
    await this.#pass(Math.min(RELEASE_WITHIN_MS, releasedAtMs - kernel.monotonicMs()));
    const untilMs = kernel.monotonicMs() + COLLECT_WITHIN_MS;
    while (!this.#ended && kernel.monotonicMs() < untilMs && leftovers(this.#cluster).length > 0)
      await this.#pass(LOOK_EVERY_MS);
    if (!this.#ended) for (const left of leftovers(this.#cluster)) this.#report('I7', left);
  }
}
