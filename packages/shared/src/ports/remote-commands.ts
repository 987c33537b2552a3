import type { CloudCallOptions } from './cloud.ts';

/** A shell script for one instance. */
export interface RemoteCommand {
  readonly instanceId: string;
  /** By which it is found again, 1 to 100 characters: there is no token. */
  readonly comment: string;
  /** Lines of shell. `{{` may not be in them: the service would put values of its own there. */
  readonly lines: readonly string[];
  /** What has not reached the instance by then is not delivered, ms. The least is 30 s. */
  readonly deliverWithinMs: number;
  /** The agent on the instance ends it then, ms from its own beginning. */
  readonly runWithinMs: number;
}

/** What the service says of one command on one instance, in its own states. */
export type CommandState =
  | 'pending'
  /** It could not be delivered so far, and will be tried again. */
  | 'delayed'
  /** It was given to the agent, which has not answered. */
  | 'in-progress'
  | 'cancelling'
  | 'success'
  | 'failed'
  /** The agent's last word is missing. **It may have run**, or still run. */
  | 'delivery-timed-out'
  /** The agent says that it ran longer than it may. */
  | 'execution-timed-out'
  | 'undeliverable'
  /** The service gave the rest of a command up after errors elsewhere. */
  | 'terminated'
  /** Somebody cancelled it. No promise that it has not run, or does not run. */
  | 'cancelled'
  | 'invalid-platform'
  | 'access-denied';

export interface CommandInvocation {
  readonly commandId: string;
  readonly instanceId: string;
  readonly state: CommandState;
  /** What the script ended with. Null: it has not begun, or nothing was heard of its end. */
  readonly exitCode: number | null;
  /** Whether the agent is known to have begun it. */
  readonly hasBegun: boolean;
  /** What it said, cut short by the service. Empty until it has ended. */
  readonly output: string;
  readonly errors: string;
}

/**
 * What is told of a machine's agent of Systems Manager. It is minutes old, and so neither proof of
 * life nor of death.
 */
export interface ManagedInstance {
  readonly instanceId: string;
  readonly ping: 'Online' | 'ConnectionLost' | 'Inactive';
  /** By the service's clock. Null: it does not say. */
  readonly lastPingAtWallMs: number | null;
}

/**
 * Run Command of Systems Manager. There is one implementation (`remoteCommandsOver`) over a
 * transport; one contract suite tests it in process and over HTTP. Every call is sent once. What is
 * not the service's own answer is CLOUD_UNAVAILABLE, or CLOUD_OUTCOME_UNKNOWN of a change (S18).
 */
export interface RemoteCommands {
  /**
   * Sends it. There is no client token: **sent twice, it runs twice.**
   * @throws CLOUD_NOT_FOUND: no agent is known there, or the instance ends; nothing was sent
   * @throws CLOUD_OUTCOME_UNKNOWN: it may have been sent; look for it by {@link find}
   * @throws CLOUD_DENIED, CLOUD_THROTTLED, CLOUD_REJECTED: it was not sent
   */
  send(command: RemoteCommand, options?: CloudCallOptions): Promise<{ readonly commandId: string }>;
  /**
   * The commands of this comment for this instance, newest first. None is shown a moment after it
   * was sent: that means nothing.
   */
  find(
    wanted: { readonly instanceId: string; readonly comment: string; readonly sentAfterWallMs: number },
    options?: CloudCallOptions,
  ): Promise<readonly string[]>;
  /** Null: it is not shown (yet). */
  invocation(
    command: { readonly commandId: string; readonly instanceId: string },
    options?: CloudCallOptions,
  ): Promise<CommandInvocation | null>;
  /** Asks for its end. No promise: "no guarantee that the command will be terminated". */
  cancel(
    command: { readonly commandId: string; readonly instanceId: string },
    options?: CloudCallOptions,
  ): Promise<void>;
  /** Null: no agent is shown, e.g. because the instance is stopped. */
  managed(instanceId: string, options?: CloudCallOptions): Promise<ManagedInstance | null>;
}
