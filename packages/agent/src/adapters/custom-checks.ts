import { type Clock, errorText } from '@understudy/shared';
import type { Check } from '../checks/check.ts';
import type { CustomCheckConfig } from '../config-checks.ts';
import { parseHostPort } from '../host-port.ts';
import type { CheckResult } from '../core/check-state.ts';
import { SingleChild } from './single-child.ts';
import { plainHttp } from './plain-http.ts';
import { tcpConnect } from './tcp-connect.ts';
import { NO_SUCH_PROGRAM, throughShell } from './through-shell.ts';

export interface CustomCheckOptions {
  readonly clock: Clock;
  /** Added to the environment of `exec`. */
  readonly env: Readonly<Record<string, string>>;
}

const PASS: CheckResult = { status: 'pass', code: 'none' };

/**
 * A configured check. No answer by the deadline is a failure, because the question was whether the
 * workload answers.
 */
export function customCheck(config: CustomCheckConfig, options: CustomCheckOptions): Check {
  if (config.exec) return execCheck(config.exec, options);
  if (config.http !== undefined) return httpCheck(config.http, config.status);
  return tcpCheck(config.tcp ?? '');
}

const OUTPUT_CHARACTERS_MAX = 2_000;
const DETAIL_CHARACTERS_MAX = 200;

/**
 * The command is killed at the deadline with its process group. While the kernel keeps it, it is
 * not started again.
 */
function execCheck(command: readonly string[], { clock, env }: CustomCheckOptions): Check {
  const child = new SingleChild({ clock, env, outputCharactersMax: OUTPUT_CHARACTERS_MAX });
  return {
    async run(signal) {
      const outcome = await child.run(throughShell(command), signal);
      if (outcome.kind === 'ended' && outcome.code === 0) return PASS;
      if (outcome.kind === 'ended') return failed('commandFailed', endOf(outcome.code, outcome.output));
      return { ...failed('commandFailed', 'not done within the deadline'), sinceMs: outcome.sinceMs };
    },
  };
}

function endOf(code: number | null, output: string): string {
  const how = code === NO_SUCH_PROGRAM ? 'no such program' : code === null ? 'killed' : `exit code ${code}`;
  return `${how}: ${output.trim()}`;
}

/** Only the status counts: the connection is closed when the head of the answer is there. */
function httpCheck(url: string, wanted: number | undefined): Check {
  return {
    async run(signal) {
      try {
        const { status } = await plainHttp({ method: 'GET', url, signal, headOnly: true });
        const good = wanted === undefined ? status >= 200 && status < 400 : status === wanted;
        return good ? PASS : failed('httpFailed', `status ${status}`);
      } catch (error) {
        return failed('httpFailed', errorText(error));
      }
    },
  };
}

function tcpCheck(target: string): Check {
  const hostPort = parseHostPort(target) ?? { host: '', port: 0 };
  return {
    async run(signal) {
      const answer = await tcpConnect(hostPort, signal);
      return answer === 'accepted' ? PASS : failed('tcpFailed', `${target} ${answer}`);
    },
  };
}

const failed = (code: CheckResult['code'], detail: string): CheckResult => ({
  status: 'fail',
  code,
  detail: detail.slice(0, DETAIL_CHARACTERS_MAX),
});
