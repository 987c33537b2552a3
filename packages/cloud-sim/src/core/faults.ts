/** Kinds of faults. `error` needs `code`. */
export const FAULT_KINDS = [
  'throttle',
  'error',
  /** The request never arrives: not executed, the caller hangs. */
  'timeout-before',
  /** The request is executed; the reply is lost. */
  'timeout-after-success',
  /** The caller hangs; the request is executed `delayMs` later. */
  'late-landing',
  'capacity',
  /**
   * RunInstances answers 200. The instance then goes to `terminated` with StateReason `code`
   * (default Client.InternalError).
   */
  'launch-then-terminate',
  /**
   * The instance stays `stopping` until a forced stop has waited `delayMs` (default 10 min ÷
   * speed). Without force it stays for ever.
   */
  'stuck-stopping',
  /** All snapshots of this call end in `error`. */
  'snapshot-error',
  /** The volume stays `busy` until it is detached by force, or its instance stops. */
  'busy-detach',
  /**
   * The volume stays `detaching` for `delayMs` (default 10 min ÷ speed), also from a stopped
   * instance. Force does not hasten it.
   */
  'stuck-detach',
  /**
   * Once the instance is stopped, its volumes read `busy` for `delayMs` (default 10 min ÷ speed).
   */
  'busy-after-stop',
  /**
   * After a forced stop the guest writes for `delayMs` (default 10 s ÷ speed) to the volumes that
   * are still attached, although its state is `stopped`.
   */
  'late-writes',
  /** The root volume replacement fails; the old root is still there, and the instance reboots. */
  'replace-root-failed',
  /** The root volume replacement fails and leaves the instance without a root. */
  'replace-root-detached',
  /** The answer shows the Region as it was `delayMs` (default 4 s) ago. */
  'stale-read',
  /**
   * The request is executed; something else answers in EC2's place (over HTTP: a page with status
   * 200).
   */
  'foreign-answer',
  /** The request is not executed; something else answers in EC2's place. */
  'foreign-instead',
  /** EventBridge (action `events:Deliver`): the event never comes. */
  'event-lost',
  /** It comes twice. */
  'event-duplicated',
  /** It comes `delayMs` (default 2 min ÷ speed) later, and so after others. */
  'event-delayed',
] as const;

export type FaultKind = (typeof FAULT_KINDS)[number];

export interface Fault {
  readonly id: string;
  /** EC2 action, or `*`. */
  readonly action: string;
  readonly match?: {
    /** An id that must appear anywhere in the request. */
    readonly resourceId?: string;
    readonly clientToken?: string;
    /**
     * A tag that must be in the request's TagSpecifications or Tags. Without `value`, any value
     * fits.
     */
    readonly tag?: { readonly key: string; readonly value?: string };
  };
  readonly kind: FaultKind;
  readonly code?: string;
  readonly httpStatus?: number;
  readonly message?: string;
  readonly delayMs?: number;
  /** How often it fires; default 1. */
  readonly times?: number;
  /** Matching calls let through first; default 0. */
  readonly afterCalls?: number;
  /**
   * Share of the matching calls that it strikes, 0..1. They are spread without a pattern, but
   * always the same way. Default 1.
   */
  readonly ratio?: number;
}

export interface FaultState extends Fault {
  readonly fired: number;
  readonly matched: number;
}

const MAX_FAULTS = 1_000;
const MAX_DEPTH = 12;

function mentions(value: unknown, text: string, depth = 0): boolean {
  if (depth > MAX_DEPTH) return false;
  if (typeof value === 'string') return value === text;
  if (Array.isArray(value)) return value.some((item) => mentions(item, text, depth + 1));
  if (value && typeof value === 'object') {
    return Object.values(value).some((item) => mentions(item, text, depth + 1));
  }
  return false;
}

interface TagLike {
  readonly Key?: unknown;
  readonly Value?: unknown;
}

function tagsOf(input: Readonly<Record<string, unknown>>): TagLike[] {
  const specs = (input['TagSpecifications'] ?? []) as readonly { readonly Tags?: readonly TagLike[] }[];
  return [...specs.flatMap((spec) => spec.Tags ?? []), ...((input['Tags'] ?? []) as readonly TagLike[])];
}

function matches(fault: Fault, action: string, input: Readonly<Record<string, unknown>>): boolean {
  if (fault.action !== '*' && fault.action !== action) return false;
  const { resourceId, clientToken, tag } = fault.match ?? {};
  if (resourceId !== undefined && !mentions(input, resourceId)) return false;
  if (clientToken !== undefined && input['ClientToken'] !== clientToken) return false;
  if (!tag) return true;
  return tagsOf(input).some((one) => one.Key === tag.key && (tag.value === undefined || one.Value === tag.value));
}

/** A number in 0..1 for the nth call: evenly spread, without a pattern (xorshift-multiply hash). */
function spread(nth: number): number {
  let hash = Math.imul(nth ^ 0x9e37_79b9, 0x85eb_ca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}

/**
 * The faults still to come. Each counts how often it matched and fired, so that a test can assert
 * that it happened.
 */
export class FaultList {
  readonly #faults: { readonly fault: Fault; fired: number; matched: number }[] = [];

  add(fault: Fault): void {
    if (this.#faults.length >= MAX_FAULTS) throw new Error(`more than ${MAX_FAULTS} faults`);
    if (this.#faults.some((other) => other.fault.id === fault.id)) throw new Error(`fault ${fault.id} exists`);
    this.#faults.push({ fault, fired: 0, matched: 0 });
  }

  clear(): void {
    this.#faults.length = 0;
  }

  /** Removes a fault. Returns how often it struck; 0 for one that does not exist. */
  remove(id: string): number {
    const at = this.#faults.findIndex((entry) => entry.fault.id === id);
    return at < 0 ? 0 : (this.#faults.splice(at, 1)[0]?.fired ?? 0);
  }

  states(): FaultState[] {
    return this.#faults.map(({ fault, fired, matched }) => ({ ...fault, fired, matched }));
  }

  fired(id: string): number {
    return this.#faults.find((entry) => entry.fault.id === id)?.fired ?? 0;
  }

  /** The faults that strike this call, in the order they were added. */
  strike(action: string, input: Readonly<Record<string, unknown>>): Fault[] {
    const struck: Fault[] = [];
    for (const entry of this.#faults) {
      if (!matches(entry.fault, action, input)) continue;
      entry.matched++;
      if (entry.matched <= (entry.fault.afterCalls ?? 0) || entry.fired >= (entry.fault.times ?? 1)) continue;
      if (entry.fault.ratio !== undefined && spread(entry.matched) >= entry.fault.ratio) continue;
      entry.fired++;
      struck.push(entry.fault);
    }
    return struck;
  }
}
