export interface CallEvent {
  readonly kind: 'call';
  readonly seq: number;
  readonly atMs: number;
  readonly wallMs: number;
  readonly action: string;
  /**
   * `ok`, an EC2 error code, or `lost` (the caller got no reply). `executed` then tells the truth.
   */
  readonly outcome: string;
  /** Whether the request took effect. A repeated idempotent request counts as executed. */
  readonly executed: boolean;
  readonly message: string | null;
  readonly clientToken: string | null;
  /** Time from sending to execution, as far as the simulator knows, in ms. */
  readonly durationMs: number;
  readonly faults: readonly string[];
  /** The caller, as far as it gave a name. Empty: it gave none. */
  readonly reader: string;
  /** What else is known of the request. */
  readonly caller?: SimCaller;
  readonly input: Readonly<Record<string, unknown>>;
}

/** What CloudTrail records of a request, beside who signed it. */
export interface SimCaller {
  readonly requestId: string;
  readonly userAgent: string;
}

export interface TransitionEvent {
  readonly kind: 'transition';
  readonly seq: number;
  readonly atMs: number;
  readonly wallMs: number;
  readonly resourceKind: ResourceKind;
  readonly resourceId: string;
  /** `null`: created. */
  readonly from: string | null;
  /** `null`: gone. */
  readonly to: string | null;
  /**
   * Time spent in `from`, decided when it was entered, in ms. Null when another call caused the
   * transition.
   */
  readonly scheduledMs: number | null;
  readonly detail: Readonly<Record<string, unknown>>;
}

export type ResourceKind =
  | 'instance'
  | 'volume'
  | 'snapshot'
  | 'image'
  | 'network-interface'
  | 'address'
  | 'association';

export type SimEvent = CallEvent | TransitionEvent;

export interface Launch {
  readonly instanceId: string;
  readonly clientToken: string | null;
  readonly az: string;
  readonly atMs: number;
  readonly wallMs: number;
  readonly tags: Readonly<Record<string, string>>;
}

/** Time one resource spent in one state. */
export interface Stay {
  readonly resourceKind: ResourceKind;
  readonly resourceId: string;
  readonly state: string;
  readonly enteredAtMs: number;
  readonly leftAtMs: number;
  readonly durationMs: number;
  readonly enteredWallMs: number;
  readonly leftWallMs: number;
}

export interface KeptEvents {
  /** Newest calls and state changes. */
  readonly events: number;
  /** Newest launches. */
  readonly launches: number;
}

export const DEFAULT_KEPT_EVENTS: KeptEvents = { events: 20_000, launches: 20_000 };
/** The log is trimmed in portions, so that not every event moves all others. */
const TRIM_SHARE = 0.05;
const LISTENERS_MAX = 32;

type Draft<T extends SimEvent> = Omit<T, 'seq'>;

/** The newest calls, state changes and launches, as many of each as are kept. */
export class EventLog {
  readonly #events: SimEvent[] = [];
  readonly #launches: Launch[] = [];
  readonly #listeners: ((event: SimEvent) => void)[] = [];
  readonly #kept: KeptEvents;
  #seq = 0;

  constructor(kept: KeptEvents = DEFAULT_KEPT_EVENTS) {
    this.#kept = kept;
  }

  /**
   * Calls listeners synchronously, in the middle of the action. Returns the unsubscribe function.
   */
  onEvent(listener: (event: SimEvent) => void): () => void {
    if (this.#listeners.length >= LISTENERS_MAX) throw new Error(`more than ${LISTENERS_MAX} listeners`);
    this.#listeners.push(listener);
    return () => {
      const at = this.#listeners.indexOf(listener);
      if (at >= 0) this.#listeners.splice(at, 1);
    };
  }

  call(draft: Draft<CallEvent>): void {
    this.#add({ ...draft, seq: ++this.#seq });
  }

  transition(draft: Draft<TransitionEvent>): void {
    this.#add({ ...draft, seq: ++this.#seq });
  }

  launch(launch: Launch): void {
    this.#launches.push(launch);
    if (this.#launches.length > this.#kept.launches) this.#launches.shift();
  }

  /** Number of the newest event. */
  get lastSeq(): number {
    return this.#seq;
  }

  events(afterSeq = 0): readonly SimEvent[] {
    const first = this.#events[0]?.seq ?? 0;
    return this.#events.slice(Math.max(0, afterSeq + 1 - first));
  }

  calls(action?: string): CallEvent[] {
    return this.#events.filter(
      (event): event is CallEvent => event.kind === 'call' && (action === undefined || event.action === action),
    );
  }

  transitions(resourceId?: string): TransitionEvent[] {
    return this.#events.filter(
      (event): event is TransitionEvent =>
        event.kind === 'transition' && (resourceId === undefined || event.resourceId === resourceId),
    );
  }

  launches(): readonly Launch[] {
    return this.#launches;
  }

  launchesByToken(): Map<string, Launch[]> {
    const byToken = new Map<string, Launch[]>();
    for (const launch of this.#launches) {
      if (launch.clientToken === null) continue;
      const same = byToken.get(launch.clientToken) ?? [];
      same.push(launch);
      byToken.set(launch.clientToken, same);
    }
    return byToken;
  }

  /**
   * Launches tagged as this member (`group/name`, or the bare value of the member tag) at launch.
   */
  launchesForMember(member: string): Launch[] {
    return this.#launches.filter(({ tags }) => {
      const name = tags['understudy:member'];
      return name === member || `${tags['understudy:group']}/${name}` === member;
    });
  }

  /** How long the resource stayed in each state it has left again, oldest first. */
  stays(resourceId: string): Stay[] {
    const transitions = this.transitions(resourceId);
    return transitions.flatMap((entered, i) => {
      const left = transitions[i + 1];
      if (!left || entered.to === null) return [];
      return [
        {
          resourceKind: entered.resourceKind,
          resourceId,
          state: entered.to,
          enteredAtMs: entered.atMs,
          leftAtMs: left.atMs,
          durationMs: left.atMs - entered.atMs,
          enteredWallMs: entered.wallMs,
          leftWallMs: left.wallMs,
        },
      ];
    });
  }

  #add(event: SimEvent): void {
    this.#events.push(event);
    const trimCount = Math.ceil(this.#kept.events * TRIM_SHARE);
    if (this.#events.length >= this.#kept.events + trimCount) this.#events.splice(0, trimCount);
    for (const listener of [...this.#listeners]) listener(event);
  }
}
