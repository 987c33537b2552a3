import { REQUEST_KINDS } from '@understudy/shared';
import * as z from 'zod';

/**
 * What goes wrong in a run, as a list of plain values: a seed generates it, a person may write it,
 * the shrinker takes entries out of it. Durations in ms of simulated time.
 */

/**
 * Where a recovery stands; `intent`: its member is believed dead and nothing is written yet;
 * `none`: no recovery is under way.
 */
export const STAGES = [
  ...(['none', 'intent', 'fence', 'capture', 'image', 'permit'] as const),
  ...(['launch', 'verify', 'revoke', 'activate', 'address', 'done'] as const),
] as const;
export type Stage = (typeof STAGES)[number];

const when = z.union([
  z.strictObject({ atMs: z.number().min(0) }),
  /** `afterMs` after the `nth` time (from 1) that any recovery enters this stage. */
  z.strictObject({
    stage: z.enum(STAGES).exclude(['none']),
    nth: z.number().int().min(1),
    afterMs: z.number().min(0),
  }),
]);

/** Commands that are about no recovery. Seeds do not choose them; a list of faults may. */
export const CONTROLS = ['pause', 'resume', 'drain', 'undrain', 'transfer', 'override'] as const;
export type Control = (typeof CONTROLS)[number];

const base = { id: z.string().min(1), when, forMs: z.number().min(0) };
/** `leader`: whoever believes to lead at that moment, else the first. */
const coordinator = z.string().regex(/^(leader|c\d+)$/);
/**
 * `struck`: the member whose recovery triggered the fault, else the first. `replacement`: the
 * instance that recovery has launched, else as `struck`.
 */
const member = z.string().regex(/^(struck|replacement|m\d+)$/);
const ratio = z.number().min(0).max(1);
const action = z.string().min(1);
const times = z.number().int().min(1).max(1_000);

export const FaultSchema = z.discriminatedUnion('kind', [
  // What the whole thing is there for: a member's machine dies, one way or another.
  z.strictObject({ ...base, kind: z.literal('guest-crash'), member }),
  z.strictObject({ ...base, kind: z.literal('host-failure'), member }),
  z.strictObject({ ...base, kind: z.literal('machine-pause'), member }),
  z.strictObject({ ...base, kind: z.literal('machine-cut-off'), member }),
  z.strictObject({ ...base, kind: z.literal('spoiled-replacement'), count: times }),
  // Network
  z.strictObject({ ...base, kind: z.literal('net-loss'), ratio }),
  z.strictObject({ ...base, kind: z.literal('net-delay'), delayMs: z.number() }),
  z.strictObject({ ...base, kind: z.literal('net-duplicate'), ratio }),
  z.strictObject({ ...base, kind: z.literal('net-reorder'), withinMs: z.number() }),
  z.strictObject({
    ...base,
    kind: z.literal('net-cut-one-way'),
    coordinator,
    towards: z.enum(['agents', 'coordinator']),
  }),
  z.strictObject({ ...base, kind: z.literal('net-member-cut'), coordinator, member }),
  z.strictObject({ ...base, kind: z.literal('zone-partition'), zone: z.number().int().min(0).max(2) }),
  // Processes
  z.strictObject({ ...base, kind: z.literal('coordinator-crash'), coordinator }),
  z.strictObject({ ...base, kind: z.literal('agent-crash'), member }),
  z.strictObject({ ...base, kind: z.literal('agent-pause'), member }),
  /** Started by hand beside the service's, with a state directory of its own; killed in the end. */
  z.strictObject({ ...base, kind: z.literal('second-agent'), member }),
  /** The workload's stop hook hangs. */
  z.strictObject({ ...base, kind: z.literal('hook-hang'), member }),
  z.strictObject({ ...base, kind: z.literal('coordinator-pause'), coordinator }),
  /** Stopped between the check and the send of its `nth` call of that name. */
  z.strictObject({ ...base, kind: z.literal('pause-before-call'), coordinator, call: z.string(), nth: times }),
  z.strictObject({ ...base, kind: z.literal('clock-rate'), coordinator, rate: z.number().min(0.5).max(2) }),
  z.strictObject({ ...base, kind: z.literal('clock-step'), coordinator, byMs: z.number() }),
  z.strictObject({ ...base, kind: z.literal('machine-clock-rate'), member, rate: z.number().min(0.5).max(2) }),
  z.strictObject({ ...base, kind: z.literal('machine-clock-step'), member, byMs: z.number() }),
  // etcd
  z.strictObject({ ...base, kind: z.literal('etcd-leader-loss') }),
  z.strictObject({ ...base, kind: z.literal('etcd-quorum-loss') }),
  z.strictObject({ ...base, kind: z.literal('etcd-slow'), latencyMs: z.number() }),
  z.strictObject({
    ...base,
    kind: z.literal('etcd-cut'),
    coordinator,
    direction: z.enum(['both', 'requests', 'replies']),
  }),
  z.strictObject({ ...base, kind: z.literal('etcd-lost-reply'), coordinator, times }),
  z.strictObject({ ...base, kind: z.literal('etcd-compaction') }),
  z.strictObject({ ...base, kind: z.literal('lease-late'), byMs: z.number() }),
  z.strictObject({ ...base, kind: z.literal('lease-early'), coordinator }),
  z.strictObject({ ...base, kind: z.literal('lease-lie'), coordinator }),
  // EC2
  z.strictObject({ ...base, kind: z.literal('api-throttle'), action, times }),
  z.strictObject({ ...base, kind: z.literal('api-error'), action, times }),
  z.strictObject({ ...base, kind: z.literal('api-lost-request'), action, times }),
  z.strictObject({ ...base, kind: z.literal('api-lost-reply'), action, times }),
  z.strictObject({ ...base, kind: z.literal('api-late-landing'), action, times, byMs: z.number() }),
  z.strictObject({ ...base, kind: z.literal('api-stale-read'), action, times, byMs: z.number() }),
  z.strictObject({ ...base, kind: z.literal('api-launch-dies'), times }),
  z.strictObject({ ...base, kind: z.literal('stuck-stopping'), times }),
  z.strictObject({ ...base, kind: z.literal('snapshot-error'), times }),
  z.strictObject({ ...base, kind: z.literal('no-capacity'), zone: z.number().int().min(0).max(2) }),
  z.strictObject({ ...base, kind: z.literal('zone-outage'), zone: z.number().int().min(0).max(2) }),
  // Operators
  /**
   * `says`: what its record names as its scope; `kind`: only the first word, as people write by
   * hand.
   */
  z.strictObject({
    ...base,
    kind: z.literal('operator-pause'),
    scope: z.enum(['global', 'group']),
    says: z.enum(['scope', 'kind']).default('scope'),
  }),
  z.strictObject({ ...base, kind: z.literal('operator-stop'), member }),
  z.strictObject({ ...base, kind: z.literal('operator-clears-holds') }),
  z.strictObject({ ...base, kind: z.literal('operator-starts-old'), member }),
  z.strictObject({ ...base, kind: z.literal('operator-moves-address'), member }),
  // etcd again: out of space; reads, watches and keepalives are fine.
  z.strictObject({ ...base, kind: z.literal('etcd-refuses-writes') }),
  // EC2 again: something answers in its place, after it (`applied`) or instead of it; and a
  // brown-out.
  z.strictObject({ ...base, kind: z.literal('api-foreign-answer'), action, times, applied: z.boolean() }),
  z.strictObject({ ...base, kind: z.literal('api-half-fails'), ratio }),
  // Operators again: the address is given back to EC2, or taken for something else and kept.
  z.strictObject({ ...base, kind: z.literal('operator-releases-address'), member }),
  z.strictObject({ ...base, kind: z.literal('operator-keeps-address'), member }),
  /** Asked for by the command of that name, again and again until the leader takes it. */
  z.strictObject({
    ...base,
    kind: z.literal('operator-commands'),
    member,
    command: z.enum([...REQUEST_KINDS, ...CONTROLS]),
  }),
  /**
   * Processes again: started anew under the id of the next one, which runs on; then under its own.
   */
  z.strictObject({ ...base, kind: z.literal('coordinator-namesake'), coordinator }),
  /**
   * The KMS key of a member's volume is disabled, and enabled again in the end; for members whose
   * volumes are encrypted.
   */
  z.strictObject({ ...base, kind: z.literal('operator-disables-key'), member }),
  // EC2 again: a zone's hosts fail, not only its control plane; what had no power boots in the end,
  // or stays down.
  z.strictObject({
    ...base,
    kind: z.literal('zone-failure'),
    zone: z.number().int().min(0).max(2),
    how: z.enum(['power', 'hang']),
    instances: z.enum(['come-back', 'stay-down']),
  }),
  /** Its host fails, and EC2 by itself moves it to another one when the fault is over. */
  z.strictObject({ ...base, kind: z.literal('auto-recovery'), member }),
  /** A volume stays `detaching` for as long as the fault lasts. */
  z.strictObject({ ...base, kind: z.literal('stuck-detach'), times }),
  /** After its forced stop, an instance writes to what is still attached to it. */
  z.strictObject({ ...base, kind: z.literal('late-writes'), times }),
  /**
   * A person points a member's record at something of their own for a while; or, by mistake, at the
   * instance that was replaced.
   */
  z.strictObject({ ...base, kind: z.literal('operator-moves-record'), member, to: z.enum(['elsewhere', 'retired']) }),
  /** EC2 holds back the I/O of all its disks, of which it dies. */
  z.strictObject({ ...base, kind: z.literal('volumes-impaired'), member }),
]);

export type Fault = z.infer<typeof FaultSchema>;
export type FaultKind = Fault['kind'];
export type FaultOf<K extends FaultKind> = Extract<Fault, { kind: K }>;

export const FaultListSchema = z.array(FaultSchema);
export const FAULT_KINDS: readonly FaultKind[] = FaultSchema.options.map((option) => option.shape.kind.value);

/** How a fault is said in one line of a report. */
export function describeFault(fault: Fault): string {
  const { id, kind, when: moment, forMs, ...rest } = fault;
  const at =
    'atMs' in moment ? `at ${seconds(moment.atMs)}` : `${moment.stage} #${moment.nth} + ${seconds(moment.afterMs)}`;
  const details = Object.entries(rest).map(([name, value]) => `${name} ${String(value)}`);
  return [`${id} ${kind}`, at, `for ${seconds(forMs)}`, ...details].join(', ');
}

const seconds = (ms: number): string => `${Math.round(ms / 10) / 100} s`;
