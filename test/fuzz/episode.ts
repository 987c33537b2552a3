import { AgentSource } from './agent-source.ts';
import { AgentTarget } from './agent-target.ts';
import { CoordinatorSource } from './coordinator-source.ts';
import { CoordinatorTarget } from './coordinator-target.ts';
import { Dice } from './dice.ts';
import type { Finding, Source, Step, Target } from './step.ts';

export const SIDES = ['coordinator', 'agent'] as const;
export type Side = (typeof SIDES)[number];

/**
 * Seed and number decide everything that is thrown. Each episode begins with a fresh target, so
 * that one can be repeated alone.
 */
export interface EpisodeSpec {
  readonly side: Side;
  readonly seed: number;
  readonly episode: number;
  readonly datagrams: number;
}

export interface Failure {
  readonly spec: EpisodeSpec;
  readonly finding: Finding;
  /** Steps up to and including the one that broke it. */
  readonly steps: readonly Step[];
}

/** Counts throws and outcomes by name. It grows by names only, of which there are a few dozen. */
export class Tally {
  readonly thrown = new Map<string, number>();
  readonly outcomes = new Map<string, number>();
  datagrams = 0;

  add(into: Map<string, number>, name: string, count = 1): void {
    into.set(name, (into.get(name) ?? 0) + count);
  }
}

/** Also the nonce of the coordinator under fire. */
export const nonceOf = ({ seed, episode }: Pick<EpisodeSpec, 'seed' | 'episode'>): number =>
  (Math.imul(seed, 1_000_003) + episode) >>> 0;

async function targetOf(side: Side, nonce: number): Promise<CoordinatorTarget | AgentTarget> {
  return side === 'coordinator' ? new CoordinatorTarget(nonce) : AgentTarget.start(nonce);
}

function sourceFor(target: CoordinatorTarget | AgentTarget, dice: Dice): Source {
  return target instanceof CoordinatorTarget ? new CoordinatorSource(target, dice) : new AgentSource(target, dice);
}

export async function runEpisode(spec: EpisodeSpec, tally: Tally): Promise<Failure | null> {
  const target = await targetOf(spec.side, nonceOf(spec));
  const source = sourceFor(target, new Dice(spec.seed, spec.episode));
  const steps: Step[] = [];
  let finding: Finding | null = null;
  for (let thrown = 0; thrown < spec.datagrams && finding === null; ) {
    const step = source.next();
    steps.push(step);
    if (step.kind === 'datagram') {
      thrown++;
      tally.add(tally.thrown, step.what);
    }
    const taken = target.take(step);
    finding = taken instanceof Promise ? await taken : taken;
    tally.datagrams += step.kind === 'datagram' ? 1 : 0;
  }
  finding ??= await target.end();
  for (const [name, count] of target.outcomes) tally.add(tally.outcomes, `${spec.side} ${name}`, count);
  return finding ? { spec, finding, steps } : null;
}

/** Throws these steps at a new target of the same kind. Null when nothing breaks. */
export async function replay(side: Side, nonce: number, steps: readonly Step[]): Promise<Finding | null> {
  const target: Target = await targetOf(side, nonce);
  for (const step of steps) {
    const finding = await target.take(step);
    if (finding) return finding;
  }
  return target.end();
}
