export interface CallEvent {
  readonly kind: 'call';
  readonly seq: number;
  readonly atMs: number;
  readonly wallMs: number;
  readonly action: string;
  /** `ok`, an EC2 error code, or `lost` (the caller got no reply) with `executed` telling the truth. */
  readonly outcome: string;
  /** Whether the request took effect (a repeated idempotent request included). */
  readonly executed: boolean;
  readonly message: string | null;
  readonly clientToken: string | null;
  /** From sending to execution, as far as the simulator knows; ms. */
  readonly durationMs: number;
  readonly faults: readonly string[];
  /** Whose call it was, as far as the caller said; empty: nobody's in particular. */
  readonly reader: string;
  readonly input: Readonly<Record<string, unknown>>;
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
  /** Time spent in `from`, decided when it was entered; ms. Null when another call caused the transition. */
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

const EVENTS_KEPT = 20_000;
const TRIM_STEP = 1_000;
const LAUNCHES_KEPT = 20_000;
const LISTENERS_MAX = 32;

type Draft<T extends SimEvent> = Omit<T, 'seq'>;

/** Every call and every state change, the newest {@link EVENTS_KEPT}; and every launch, the newest {@link LAUNCHES_KEPT}. */
export class EventLog {
  readonly #events: SimEvent[] = [];
  readonly #launches: Launch[] = [];
  readonly #listeners: ((event: SimEvent) => void)[] = [];
  #seq = 0;

  /** Listeners run synchronously, in the middle of the action. Returns the unsubscribe function. */
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
    if (this.#launches.length > LAUNCHES_KEPT) this.#launches.shift();
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

  /** Launches tagged as this member (`group/name`, or the bare value of the member tag) at launch. */
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
    if (this.#events.length > EVENTS_KEPT + TRIM_STEP) this.#events.splice(0, TRIM_STEP);
    for (const listener of [...this.#listeners]) listener(event);
  }
}
