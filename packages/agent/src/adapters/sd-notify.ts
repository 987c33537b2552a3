import type { Clock } from '@understudy/shared';
import type { ServiceManager } from '../service-notifier.ts';
import { runCommand } from './command-runner.ts';

/** A message is one datagram; a command that is not done by then hangs. */
const TELL_LIMIT_MS = 3_000;
const TELL_GRACE_MS = 500;

/**
 * systemd, when it started this process with `Type=notify`. Null: nobody asked to be told. Node has
 * no Unix datagram sockets, so `systemd-notify` sends for us (`NotifyAccess=all`). The variables
 * are taken out of `environment`, so that no hook or check speaks in our name.
 */
export function serviceManager(environment: NodeJS.ProcessEnv, clock: Clock): ServiceManager | null {
  const { NOTIFY_SOCKET: socket, WATCHDOG_USEC: usec, WATCHDOG_PID: pid } = environment;
  for (const name of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']) delete environment[name];
  if (socket === undefined || socket === '') return null;
  const forUs = pid === undefined || pid === String(process.pid);
  const watchdogMs = forUs && Number(usec) > 0 ? Number(usec) / 1_000 : null;
  return {
    watchdogMs,
    async tell(lines) {
      const options = { clock, timeoutMs: TELL_LIMIT_MS, graceMs: TELL_GRACE_MS, env: { NOTIFY_SOCKET: socket } };
      const outcome = await runCommand(['systemd-notify', ...lines], options);
      return outcome.kind === 'exited' && outcome.code === 0;
    },
  };
}
