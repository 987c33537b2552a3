import { type Clock, type Log, type MonotonicMs, OperationError } from '@understudy/shared';
import {
  nextMove,
  type UnitsSight,
  type WithdrawalFacts,
  type WithdrawalLimits,
  type WithdrawalMove,
} from './core/withdrawal.ts';

/**
 * systemd, as a withdrawal needs it. Each call ends by its own deadline, whatever systemd does, and
 * reports a failure as null or false.
 */
export interface ServiceUnits {
  /** Null: systemd could not be asked. */
  look(units: readonly string[]): Promise<Omit<UnitsSight, 'atMs'> | null>;
  /** Queues irreversible stop jobs and does not wait for them. True: all were queued. */
  stop(units: readonly string[]): Promise<boolean>;
  /** SIGKILL to all processes of these units. */
  kill(units: readonly string[]): Promise<boolean>;
}

interface WithdrawalParts {
  readonly units: ServiceUnits;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits: WithdrawalLimits;
}

/**
 * Stops the target and its workloads, and comes back when nothing of them was seen to run. Safe to
 * repeat.
 *
 * @throws WORKLOAD_STUCK when that is not so by the end of both limits.
 */
export async function withdrawTarget(names: readonly string[], parts: WithdrawalParts): Promise<void> {
  const { clock, limits, log } = parts;
  let facts: WithdrawalFacts = {
    beganAtMs: clock.monotonicMs(),
    asked: names,
    stop: null,
    killedAtMs: null,
    lookedAtMs: null,
    sight: null,
  };
  for (;;) {
    const move = nextMove(facts, limits, clock.monotonicMs());
    if (move.kind === 'stopped') return;
    if (move.kind === 'stuck') throw stuck(move.units, names, limits);
    if (move.kind === 'kill') log.error('activation.workload.killed', { units: move.units, afterMs: limits.stopMs });
    facts = await afterMove(facts, move, parts);
  }
}

function stuck(up: readonly string[], names: readonly string[], { stopMs, killMs }: WithdrawalLimits): OperationError {
  const what = up.length > 0 ? `still up: ${up.join(', ')}` : `systemd does not tell of ${names.join(', ')}`;
  return new OperationError('WORKLOAD_STUCK', `${what}, ${stopMs + killMs} ms after it was to stop`);
}

type Acting = Exclude<WithdrawalMove, { readonly kind: 'stopped' | 'stuck' }>;

/** Carries one move out. Moments are taken before it: a command may do its work late, or never. */
async function afterMove(facts: WithdrawalFacts, move: Acting, parts: WithdrawalParts): Promise<WithdrawalFacts> {
  const { units, clock } = parts;
  const atMs: MonotonicMs = clock.monotonicMs();
  switch (move.kind) {
    case 'look': {
      const seen = await units.look(move.units);
      return { ...facts, lookedAtMs: atMs, sight: seen ? { ...seen, atMs } : facts.sight };
    }
    case 'stop': {
      const accepted = move.units.length === 0 || (await units.stop(move.units));
      // Only a look that begins after the stop had been queued says anything about it.
      return { ...facts, stop: { atMs: clock.monotonicMs(), accepted } };
    }
    case 'kill':
      await units.kill(move.units);
      return { ...facts, killedAtMs: clock.monotonicMs() };
    case 'wait':
      await clock.sleep(Math.max(1, move.untilMs - atMs));
      return facts;
  }
}
