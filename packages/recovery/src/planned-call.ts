import type { Cloud, CloudCallOptions, IntentRecord, RecoveryPlan } from '@understudy/shared';
import type { StepKey } from './core/step-id.ts';
import type { StandIns } from './plan/stand-ins.ts';

type Send = (cloud: Cloud, options?: CloudCallOptions) => Promise<unknown>;

/** How EC2 can be asked beforehand whether it would allow a call (DryRun: nothing is done). */
export type CallTrial =
  /** With the very parameters: all that they name exists already. */
  | { readonly kind: 'as-planned' }
  /** With other things that exist, because what the call is about is made by the recovery. */
  | {
      readonly kind: 'with';
      readonly send: Send;
      readonly text: string;
      /**
       * What they lack on which a right may hang, in words: a denial of them says nothing of the
       * call then. Absent: nothing.
       */
      readonly lacks?: string;
    }
  | { readonly kind: 'none'; readonly why: string };

/** One outside call that a step is going to make, told before anything happens. */
export interface PlannedCall {
  /** As the journal counts it (`Call.name`). */
  readonly name: string;
  /** Null: it is made in every recovery by this plan. Otherwise the condition, in words. */
  readonly when: string | null;
  /**
   * Makes it through a cloud, so that its parameters are those of the adapter. What is not known
   * yet is named by {@link later}. It is given to a cloud that sends nothing, never to a real one.
   */
  readonly send: Send;
  readonly trial: CallTrial;
  /** The call of another service than EC2, in its own words. Absent: what `send` makes. */
  readonly told?: { readonly action: string; readonly parameters: Readonly<Record<string, unknown>> };
}

/** What the calls of a step are told from: the recovery that would begin now. */
export interface CallsAbout {
  readonly intent: Pick<IntentRecord, 'opId' | 'member' | 'oldInstanceId' | 'ordinal'> & {
    readonly plan: RecoveryPlan;
  };
  readonly key: StepKey;
  /** The first launch with an image that exists, for `DryRun`. Null: there is none to try. */
  readonly trialLaunch: Readonly<Record<string, unknown>> | null;
  /** What exists and can stand in for what the recovery makes. Absent, null: nothing is known. */
  readonly standIns?: StandIns | null;
}

/** Every call that the step makes against the outside, in order. Pure. */
export type CallsOf = (about: CallsAbout) => readonly PlannedCall[];

/** A step that writes to etcd only. */
export const NO_CALLS: CallsOf = () => [];

/** Stands for what only the recovery makes, in the parameters of a planned call. */
export const later = (what: string): string => `<${what}>`;

/** Is this parameter, or a part of it, one that only the recovery makes? */
export const isLater = (text: string): boolean => /<[^<>]+>/.test(text);

/** A call whose parameters all exist. */
export const plannedCall = (name: string, send: Send, when: string | null = null): PlannedCall => ({
  ...{ name, when, send },
  trial: { kind: 'as-planned' },
});

/** A call of another service than EC2, which cannot be asked beforehand. */
export const toldCall = (name: string, told: NonNullable<PlannedCall['told']>, why: string): PlannedCall => ({
  ...{ name, when: null, told, send: () => Promise.resolve() },
  trial: { kind: 'none', why },
});

/** A call about something that the recovery makes. */
export const laterCall = (name: string, send: Send, why: string, when: string | null = null): PlannedCall => ({
  ...{ name, when, send },
  trial: { kind: 'none', why },
});

/** What a thing lacks that no recovery has made. */
export const NO_MARK = 'the mark of a recovery';

/**
 * The call, tried with the member's own instance in the place of its replacement. **S** (S4) None
 * of them is harmless where a question is taken for the deed: not even the start of an instance
 * that runs, because it may have been fenced since that was seen.
 */
export function triedOnInstance(
  call: PlannedCall,
  { standIns }: Pick<CallsAbout, 'standIns'>,
  send: (instanceId: string) => Send,
): PlannedCall {
  if (!standIns) return call;
  return {
    ...call,
    trial: { kind: 'with', send: send(standIns.instanceId), text: "tried with the member's own instance" },
  };
}

/** The call, tried with the member's own first interface in the place of the permit. */
export function triedOnInterface(
  call: PlannedCall,
  { standIns }: Pick<CallsAbout, 'standIns'>,
  send: (networkInterfaceId: string) => Send,
): PlannedCall {
  const { networkInterfaceId = null, isPermit = false } = standIns ?? {};
  if (networkInterfaceId === null) return call;
  const text = "tried with the member's own network interface";
  const lacks = isPermit ? {} : { lacks: NO_MARK };
  return { ...call, trial: { kind: 'with', send: send(networkInterfaceId), text, ...lacks } };
}

/** The call, tried with a volume of the member in the place of one that the recovery makes. */
export function triedOnVolume(
  call: PlannedCall,
  { standIns }: Pick<CallsAbout, 'standIns'>,
  volumeId: string | null,
  send: (volumeId: string) => Send,
): PlannedCall {
  if (!standIns || volumeId === null) return call;
  const lacks = standIns.ourVolumeIds.has(volumeId) ? {} : { lacks: NO_MARK };
  return { ...call, trial: { kind: 'with', send: send(volumeId), text: 'tried with a disk of the member', ...lacks } };
}
