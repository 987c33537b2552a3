import { spawn } from 'node:child_process';
import {
  durationText,
  type Clock,
  errorText,
  type HookMessage,
  type HookOutcome,
  type NamedHook,
  type RunHook,
} from '@understudy/shared';
import type { HooksConfig, HookProgram } from '../../hooks/hooks-config.ts';
import { type CommandHookParts, runCommandHook } from '../../hooks/command-hook.ts';
import { redacted } from '../../hooks/redacted.ts';
import { signedHeaders } from '../../notices/webhook.ts';

/** The beginning of what a program says is kept: it stands in the journal and in holds. */
const OUTPUT_BYTES_MAX = 2_048;
/** From the request to end to the end. */
const KILL_AFTER_MS = 2_000;

const refused = (text: string): HookOutcome => ({ kind: 'refused', text });

export interface HookRunnerOptions {
  readonly config: HooksConfig;
  readonly clock: Clock;
  /** By the webhook's name. */
  readonly secretOf: (name: string) => Uint8Array;
  /** Absent: no hook runs on an instance. */
  readonly onInstances?: CommandHookParts | undefined;
}

/** Only what is listed is run: a policy names it, and can say neither a path nor an argument. */
export function hookRunner(options: HookRunnerOptions): RunHook {
  const { programs, webhooks, commands } = options.config;
  return async (hook, message, signal) => {
    if (hook.program !== undefined) {
      const program = programs.find((one) => one.name === hook.program);
      if (!program) return refused(`no program ${hook.program} is in hooks.programs of this coordinator`);
      return runProgram(program, { hook, message, signal, clock: options.clock });
    }
    if (hook.command !== undefined) {
      const command = commands.find((one) => one.name === hook.command);
      if (!command || !options.onInstances)
        return refused(`no command ${hook.command} is in hooks.commands of this coordinator`);
      return runCommandHook(command, { hook, message, signal }, options.onInstances);
    }
    const webhook = webhooks.find((one) => one.name === hook.webhook);
    if (!webhook) return refused(`no webhook ${hook.webhook ?? ''} is in hooks.webhooks of this coordinator`);
    return post(webhook.url, options.secretOf(webhook.name), { hook, message, signal, clock: options.clock });
  };
}

interface Going {
  readonly hook: NamedHook;
  readonly message: HookMessage;
  readonly signal: AbortSignal;
  readonly clock: Clock;
}

/** Nothing of our own environment: it may hold credentials. */
const environmentOf = ({ env }: HookProgram, { id }: HookMessage): Record<string, string> => ({
  ...{ PATH: '/usr/local/bin:/usr/bin:/bin', LANG: 'C.UTF-8' },
  ...env,
  UNDERSTUDY_HOOK_ID: id,
});

/** No shell: the words of the configuration are what is executed. JSON on its standard input. */
function runProgram(program: HookProgram, { hook, message, signal, clock }: Going): Promise<HookOutcome> {
  const [file = '', ...args] = program.argv;
  return new Promise((resolve) => {
    const child = spawn(file, args, {
      ...{ shell: false, detached: true, cwd: '/', env: environmentOf(program, message) },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const output: Buffer[] = [];
    let kept = 0;
    const keep = (part: Buffer): void => {
      if (kept < OUTPUT_BYTES_MAX) output.push(part.subarray(0, OUTPUT_BYTES_MAX - kept));
      kept += part.length;
    };
    const said = (): string => redacted(Buffer.concat(output).toString('utf8'));
    let ended: string | null = null;
    const kill = (how: 'SIGTERM' | 'SIGKILL'): void => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, how);
      } catch {
        // It is gone already.
      }
    };
    let grace = clock.setTimer(hook.timeoutMs, () => stop(`it did not end within ${durationText(hook.timeoutMs)}`));
    const stop = (why: string): void => {
      ended ??= why;
      kill('SIGTERM');
      grace.cancel();
      grace = clock.setTimer(KILL_AFTER_MS, () => kill('SIGKILL'));
    };
    const onAbort = (): void => stop('this coordinator does not lead any more');
    const settle = (outcome: HookOutcome): void => {
      grace.cancel();
      signal.removeEventListener('abort', onAbort);
      // What it has left running goes with it.
      kill('SIGKILL');
      resolve(outcome);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.stdin.on('error', () => undefined);
    child.stdin.end(message.body);
    child.on('error', (error) => settle(refused(`it could not be begun: ${errorText(error)}`)));
    child.on('exit', () => clock.setTimer(KILL_AFTER_MS, () => child.stdout.destroy()));
    child.on('close', (code, killedBy) => {
      const text = said();
      if (ended === null && code === 0) return settle({ kind: 'passed', text });
      const how = ended ?? (code === null ? `it was ended by ${killedBy ?? 'a signal'}` : `it ended with ${code}`);
      return settle(refused(text === '' ? how : `${how}: ${text}`));
    });
  });
}

/** Signed as notices are. Redirects are not followed, because a body is signed for one place. */
async function post(url: string, secret: Uint8Array, { hook, message, signal, clock }: Going): Promise<HookOutcome> {
  const limit = new AbortController();
  const timer = clock.setTimer(hook.timeoutMs, () =>
    limit.abort(new Error(`no answer within ${durationText(hook.timeoutMs)}`)),
  );
  const { id, body } = message;
  try {
    const answer = await fetch(url, {
      ...{ method: 'POST', body, redirect: 'manual' },
      headers: {
        ...signedHeaders(secret, { id, body, nowWallMs: clock.wallMs() }),
        ...{ 'idempotency-key': id, 'user-agent': 'understudy' },
      },
      signal: AbortSignal.any([limit.signal, signal]),
    });
    await answer.body?.cancel();
    const text = `HTTP ${answer.status}`;
    return answer.status >= 200 && answer.status < 300 ? { kind: 'passed', text } : refused(text);
  } catch (error) {
    return refused(errorText(limit.signal.aborted ? limit.signal.reason : error));
  } finally {
    timer.cancel();
  }
}
