/** What a shell script on an instance comes to. */
export interface ScriptResult {
  readonly exitCode: number;
  readonly output: string;
  readonly errors: string;
  /** How long it runs, ms at speed 1. */
  readonly tookMs: number;
}

/** What runs on an instance. Nothing is run here: whoever operates the simulator says what. */
export type Guest = (instanceId: string, lines: readonly string[]) => ScriptResult;

export const DOES_NOTHING: Guest = () => ({ exitCode: 0, output: '', errors: '', tookMs: 100 });

export type SimCommandStatus =
  | 'Pending'
  | 'Delayed'
  | 'In Progress'
  | 'Cancelling'
  | 'Success'
  | 'Failed'
  | 'Cancelled'
  | 'Delivery Timed Out'
  | 'Execution Timed Out';

/** One command on one instance. */
export interface SimInvocation {
  readonly commandId: string;
  readonly instanceId: string;
  readonly comment: string;
  readonly lines: readonly string[];
  readonly requestedAtMs: number;
  readonly requestedAtWallMs: number;
  /** "ExpiresAfter": the sum of both time-outs (Systems Manager User Guide, monitor-commands). */
  readonly deliveryEndsAtMs: number;
  readonly expiresAtMs: number;
  readonly executionTimeoutMs: number;
  /** Before that the service shows nothing of it. */
  readonly shownAtMs: number;
  status: SimCommandStatus;
  begunAtWallMs: number | null;
  endedAtWallMs: number | null;
  result: ScriptResult | null;
}

const ENDED: ReadonlySet<SimCommandStatus> = new Set([
  ...(['Success', 'Failed', 'Cancelled', 'Delivery Timed Out', 'Execution Timed Out'] as const),
]);

export const hasEnded = ({ status }: Pick<SimInvocation, 'status'>): boolean => ENDED.has(status);
