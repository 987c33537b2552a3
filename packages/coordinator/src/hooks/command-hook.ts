import {
  type Clock,
  type CommandInvocation,
  durationText,
  errorText,
  hasCode,
  type HookMessage,
  type HookOutcome,
  type Log,
  type NamedHook,
  type RemoteCommands,
} from '@understudy/shared';
import { endText, hasEnded, isSilentEnd, isUnreached, saidBy } from './command-end.ts';
import type { HookCommand } from './hooks-config.ts';
import { onceScript, TRY_AGE_MAX_MS } from './once-script.ts';

/** Between two looks at it. */
const LOOK_EVERY_MS = 1_500;
/** After a lost reply it is looked for so often before it is sent again, under the same id. */
const LOOKS_BEFORE_AGAIN = 4;
/** Never more, whatever is lost. */
const SENDS_MAX = 3;
/** The agent's own limit comes after that of the script, which tells more. */
const RUN_BEYOND_MS = 10_000;
/** A leader before us has sent it within this time. */
const FIND_WITHIN_MS = 86_400_000;

export interface CommandHookParts {
  readonly commands: RemoteCommands;
  readonly clock: Clock;
  readonly log: Log;
  /** Where the once-guard is on the instance. Default: its own place. */
  readonly guardFolder?: string;
}

export interface AskedHook {
  readonly hook: NamedHook;
  readonly message: HookMessage;
  readonly signal: AbortSignal;
}

const refused = (text: string): HookOutcome => ({ kind: 'refused', text });

/** SendCommand takes 100 characters; an id is 84 and the number of the try. */
const commentOf = (id: string): string => `understudy:${id}`.slice(0, 100);

/** Where it runs, or in words why nowhere. A machine that was fenced is told nothing any more. */
function targetOf({ on }: HookCommand, { hook, message }: AskedHook): { readonly id: string } | string {
  if (on === 'successor')
    return message.newInstanceId === null ? `there is no successor at ${hook.at}` : { id: message.newInstanceId };
  if (on !== 'predecessor') return { id: on };
  const mayRun = hook.at === 'before-fence' || hook.at === 'on-failure';
  return mayRun ? { id: message.oldInstanceId } : `at ${hook.at} the predecessor is fenced: nothing is sent to it`;
}

/**
 * Runs a script on an instance. It never rejects, and ends by the hook's time, or with the signal.
 */
export async function runCommandHook(
  command: HookCommand,
  asked: AskedHook,
  parts: CommandHookParts,
): Promise<HookOutcome> {
  const target = targetOf(command, asked);
  if (typeof target === 'string') return refused(target);
  const ageMs = parts.clock.wallMs() - asked.message.begunAtWallMs;
  if (ageMs > TRY_AGE_MAX_MS)
    return refused(`this try was begun ${durationText(ageMs)} ago, and how it ended is not known: it is sent no more`);
  return new CommandRun(command, asked, parts, target.id).run();
}

class CommandRun {
  readonly #command: HookCommand;
  readonly #asked: AskedHook;
  readonly #parts: CommandHookParts;
  readonly #instanceId: string;
  readonly #endsAtMs: number;
  readonly #endsAtWallMs: number;
  readonly #sentAtWallMs: number;
  readonly #comment: string;
  /** Commands of this id that ended without a word. */
  readonly #silent = new Set<string>();
  #commandId: string | null = null;
  /** Sent by ourselves, and not only found. */
  #isOwn = false;
  #hasLooked = false;
  /** A reply was lost: it may be there. */
  #maybeSent = false;
  #looks = 0;
  #sends = 0;
  #last: CommandInvocation | null = null;
  #trouble = '';

  constructor(command: HookCommand, asked: AskedHook, parts: CommandHookParts, instanceId: string) {
    this.#command = command;
    this.#asked = asked;
    this.#parts = parts;
    this.#instanceId = instanceId;
    const { clock } = parts;
    this.#endsAtMs = clock.monotonicMs() + asked.hook.timeoutMs;
    this.#sentAtWallMs = clock.wallMs();
    this.#endsAtWallMs = this.#sentAtWallMs + asked.hook.timeoutMs;
    this.#comment = commentOf(asked.message.id);
  }

  async run(): Promise<HookOutcome> {
    const { signal } = this.#asked;
    while (!signal.aborted && this.#leftMs() > 0) {
      const outcome = await this.#step();
      if (outcome) return outcome;
      await this.#pause(Math.min(LOOK_EVERY_MS, Math.max(1, this.#leftMs())));
    }
    return signal.aborted ? this.#leave() : this.#late();
  }

  #leftMs(): number {
    return this.#endsAtMs - this.#parts.clock.monotonicMs();
  }

  /** Null: it goes on. */
  async #step(): Promise<HookOutcome | null> {
    try {
      this.#commandId ??= await this.#obtain();
      return this.#commandId === null ? null : await this.#look(this.#commandId);
    } catch (error) {
      this.#trouble = errorText(error);
      // What is refused once is refused again; everything else may pass.
      return hasCode(error, 'CLOUD_DENIED') || hasCode(error, 'CLOUD_REJECTED') ? refused(this.#trouble) : null;
    }
  }

  /** The command of this id: one that is there already, before a new one is sent. */
  async #obtain(): Promise<string | null> {
    if (!this.#hasLooked || this.#maybeSent) {
      const found = await this.#find();
      this.#hasLooked = true;
      if (found !== null) return found;
      if (this.#maybeSent && this.#looks++ < LOOKS_BEFORE_AGAIN) return null;
    }
    return this.#sends >= SENDS_MAX ? null : this.#send();
  }

  async #find(): Promise<string | null> {
    const { commands, log } = this.#parts;
    const wanted = { instanceId: this.#instanceId, comment: this.#comment };
    const sentAfterWallMs = this.#sentAtWallMs - FIND_WITHIN_MS;
    const all = await commands.find({ ...wanted, sentAfterWallMs }, this.#calls());
    const commandId = all.find((one) => !this.#silent.has(one)) ?? null;
    if (commandId !== null) log.info('hook.command.found', { ...this.#fields(), commandId });
    return commandId;
  }

  async #send(): Promise<string | null> {
    const { commands, log } = this.#parts;
    const { message } = this.#asked;
    const leftMs = this.#leftMs();
    const lines = onceScript({
      ...{ id: message.id, script: this.#command.script, body: message.body },
      ...{ sentAtWallMs: this.#sentAtWallMs, notAfterWallMs: this.#endsAtWallMs },
      ...(this.#parts.guardFolder !== undefined && { guardFolder: this.#parts.guardFolder }),
    });
    const times = { deliverWithinMs: leftMs, runWithinMs: leftMs + RUN_BEYOND_MS };
    this.#sends += 1;
    this.#looks = 0;
    try {
      const wanted = { instanceId: this.#instanceId, comment: this.#comment, lines, ...times };
      const { commandId } = await commands.send(wanted, this.#calls());
      this.#isOwn = true;
      log.info('hook.command.sent', { ...this.#fields(), commandId });
      return commandId;
    } catch (error) {
      this.#maybeSent ||= hasCode(error, 'CLOUD_OUTCOME_UNKNOWN');
      // What was definitely refused was not sent.
      if (!hasCode(error, 'CLOUD_OUTCOME_UNKNOWN')) this.#sends -= 1;
      throw error;
    }
  }

  async #look(commandId: string): Promise<HookOutcome | null> {
    const found = await this.#parts.commands.invocation({ commandId, instanceId: this.#instanceId }, this.#calls());
    if (!found) return null;
    this.#last = found;
    if (!hasEnded(found)) return null;
    if (found.state === 'success') return { kind: 'passed', text: saidBy(found) };
    if (!this.#isOwn && isSilentEnd(found)) {
      this.#silent.add(commandId);
      this.#commandId = null;
      this.#last = null;
      return null;
    }
    return isUnreached(found) ? this.#unreached(endText(found)) : refused(endText(found));
  }

  /** It is called off where it would be in the way; a leader that follows finds it again. */
  async #leave(): Promise<HookOutcome> {
    const { hook, signal } = this.#asked;
    const isFollowed = hasCode(signal.reason, 'LEASE_LOST') || hook.at === 'on-failure';
    if (!isFollowed) await this.#cancel();
    return refused(isFollowed ? 'this coordinator does not lead any more' : 'the recovery was called off');
  }

  async #late(): Promise<HookOutcome> {
    await this.#cancel();
    const why = `it did not end within ${durationText(this.#asked.hook.timeoutMs)}`;
    const state = this.#last === null ? '' : ` (${this.#last.state})`;
    const text = `${why}${state}${this.#trouble === '' ? '' : `: ${this.#trouble}`}`;
    const isReached = this.#last !== null && !isUnreached(this.#last);
    return isReached ? refused(text) : this.#unreached(text);
  }

  async #unreached(text: string): Promise<HookOutcome> {
    const told = `${text}; ${await this.#informed()}`;
    if (this.#command.whenUnreached === 'refuse') return refused(told);
    return { kind: 'passed', text: `gone on without it, as whenUnreached says: ${told}` };
  }

  /** For people. Minutes old: nothing is decided by it. */
  async #informed(): Promise<string> {
    const { commands, clock } = this.#parts;
    try {
      const node = await commands.managed(this.#instanceId);
      if (!node) return `Systems Manager shows no agent of ${this.#instanceId}`;
      const { ping, lastPingAtWallMs: at } = node;
      const ago = at === null ? '' : `, heard ${durationText(Math.max(0, clock.wallMs() - at))} ago`;
      return `Systems Manager, minutes late, has ${this.#instanceId} as ${ping}${ago}`;
    } catch (error) {
      return `Systems Manager could not be asked about its agent: ${errorText(error)}`;
    }
  }

  /** Best effort: its time stands in the script. */
  async #cancel(): Promise<void> {
    const { commands, log } = this.#parts;
    const commandId = this.#commandId;
    if (commandId === null) return;
    try {
      await commands.cancel({ commandId, instanceId: this.#instanceId });
      log.info('hook.command.cancelled', { ...this.#fields(), commandId });
    } catch (error) {
      log.warn('hook.command.cancel_failed', { ...this.#fields(), commandId, error: errorText(error) });
    }
  }

  #fields(): { readonly hookId: string; readonly instanceId: string } {
    return { hookId: this.#asked.message.id, instanceId: this.#instanceId };
  }

  /** After its time nothing leaves any more, also where we stood still meanwhile. */
  #calls() {
    const { signal } = this.#asked;
    return { signal, mayStart: () => !signal.aborted && this.#leftMs() > 0 };
  }

  #pause(forMs: number): Promise<void> {
    const { signal } = this.#asked;
    return new Promise((resolve) => {
      const end = (): void => {
        timer.cancel();
        signal.removeEventListener('abort', end);
        resolve();
      };
      const timer = this.#parts.clock.setTimer(forMs, end);
      signal.addEventListener('abort', end, { once: true });
      if (signal.aborted) end();
    });
  }
}
