import * as z from 'zod';
import { durationMs } from '../duration-field.ts';
import { LADDER_RUNGS, type LadderRung } from '../ladder-rungs.ts';

const isInOrder = (rungs: readonly LadderRung[]): boolean =>
  rungs.every((rung, at) => at === 0 || LADDER_RUNGS.indexOf(rung) > LADDER_RUNGS.indexOf(rungs[at - 1] ?? rung));

/**
 * Tries several ways of bringing a member back, one after the other, each as a recovery of its own
 * (`docs/ladder.md`). What is known of the failure decides where it begins. Durations in ms.
 */
export const ladderFields = z.strictObject({
  /**
   * The ways that may be taken, in this order: `reboot`, `stop-start`, `reattach`,
   * `snapshot-and-replace`. One that does not fit the failure is left out, and says why.
   */
  rungs: z
    .array(z.enum(LADDER_RUNGS))
    .min(1)
    .refine(isInOrder, `each at most once, in this order: ${LADDER_RUNGS.join(', ')}`)
    .default([...LADDER_RUNGS]),
  /**
   * A member that is not back this long after it was rebooted is brought back another way. Shorter
   * = the next way sooner; longer = machines that boot slowly, or that EC2 has to force (it waits
   * about 4 min), are waited for.
   */
  rebootTimeoutMs: durationMs(300_000, 10_000, 3_600_000),
  /**
   * The same, from its start on another host. Shorter = the next way sooner; longer = machines that
   * boot slowly are waited for.
   */
  stopStartTimeoutMs: durationMs(300_000, 10_000, 3_600_000),
  /**
   * How long a new machine for the member's own disks is asked for while EC2 has no room for one,
   * before the next way. Shorter = the next way sooner; longer = a shortage in the zone is waited
   * for, and nothing has to be copied.
   */
  reattachTryForMs: durationMs(120_000, 0, 86_400_000),
  /**
   * How long EC2 may take to recover or reboot a host by itself before this begins. 0 = it is not
   * waited for. Shorter = sooner back where EC2 fails; longer = fewer members are moved that would
   * have come back.
   */
  waitForEc2Ms: durationMs(120_000, 0, 3_600_000),
  /**
   * Whether a member with instance store disks may be stopped, which empties them. A replacement
   * has them empty too, and a reboot keeps them. `keep`: it is not stopped to be started again.
   */
  instanceStore: z.enum(['may-be-lost', 'keep']).default('may-be-lost'),
});
export type LadderPolicy = z.infer<typeof ladderFields>;

/** What `recover.ladder: {}` means. */
export const DEFAULT_LADDER: LadderPolicy = ladderFields.parse({});

interface LadderSource {
  readonly recover: { readonly strategy: string; readonly ladder?: LadderPolicy | undefined };
}

/** The ways that a policy allows, in order. One that names a strategy only allows that one. */
export const ladderOf = ({ recover }: LadderSource): readonly string[] => recover.ladder?.rungs ?? [recover.strategy];

/** How long a way may take before the next one is taken, ms. Null: it is not given up by itself. */
export function rungDeadlineMs({ recover }: LadderSource, rung: string): number | null {
  const { rebootTimeoutMs, stopStartTimeoutMs, reattachTryForMs } = recover.ladder ?? DEFAULT_LADDER;
  if (rung === 'reboot') return rebootTimeoutMs;
  if (rung === 'stop-start') return stopStartTimeoutMs;
  return rung === 'reattach' ? reattachTryForMs : null;
}

/** How long a way in place may take from its last call until the instance is back, in ms. */
export function ladderDeadlineMs({ recover }: LadderSource, rung: string): number {
  const { rebootTimeoutMs, stopStartTimeoutMs } = recover.ladder ?? DEFAULT_LADDER;
  return rung === 'reboot' ? rebootTimeoutMs : stopStartTimeoutMs;
}
