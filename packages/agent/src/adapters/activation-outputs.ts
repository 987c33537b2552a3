import { type Clock, type Log, type MemberId, OperationError } from '@understudy/shared';
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { AgentConfig } from '../config.ts';
import { rooted } from '../config-values.ts';
import type { ActivationOutputs, WantedActivation } from '../activation-applier.ts';
import { KILL_MS } from '../serve-times.ts';
import { withdrawTarget } from '../target-withdrawal.ts';
import { type CommandOutcome, runCommand } from './command-runner.ts';
import { writeDurably } from './durable-file.ts';
import { serviceUnits } from './systemctl.ts';

interface OutputParts {
  readonly config: AgentConfig;
  readonly clock: Clock;
  readonly log: Log;
  /** Is systemd what runs this machine? As sd_booted(3) asks, unless a test says otherwise. */
  readonly systemdRuns?: () => boolean;
}

/** The files, the systemd target and the hooks that tell the workload. */
export function activationOutputs(parts: OutputParts): ActivationOutputs {
  const { config, clock } = parts;
  const { activation } = config;
  const path = rooted(config, activation.file);
  const assertPath = rooted(config, activation.assertFile);
  return {
    async writeFile(wanted) {
      // This comes first and needs no room on a disk: from here on no unit that asserts it starts.
      if (wanted.state !== 'active') await rm(assertPath, { force: true });
      await writeDurably(path, `${JSON.stringify(fileContent(config.member, wanted, clock))}\n`, 0o644);
    },
    async removeFile() {
      await rm(assertPath, { force: true });
      await rm(path, { force: true });
    },
    async tellTarget(serving, signal) {
      if (serving) await writeDurably(assertPath, '', 0o644);
      else await rm(assertPath, { force: true });
      if (activation.systemdTarget === undefined) return;
      if (!mayAsk(parts, serving)) return;
      const { systemdTarget } = activation;
      await (serving ? startTarget(systemdTarget, parts, signal) : stopTarget(systemdTarget, parts));
    },
    async runHook(wanted, signal) {
      const command = wanted.state === 'active' ? activation.onActivate : activation.onDeactivate;
      if (!command) return;
      const env = hookEnvironment(config, wanted);
      const options = { clock, timeoutMs: activation.timeoutMs, env, ...(signal ? { signal } : {}) };
      failUnlessDone(await runCommand(command, options), command[0] ?? '');
    },
    powerOff: (attempt) => powerOff(parts, attempt),
  };
}

const sdBooted = (): boolean => existsSync('/run/systemd/system');

/**
 * False: systemd does not run this machine (a container), and nobody relies on its target.
 *
 * @throws COMMAND_FAILED when a leader may be waiting for our lease to run out. A missing systemd
 *   is
 *   no proof that the workload has stopped.
 */
function mayAsk({ config, log, systemdRuns = sdBooted }: OutputParts, serving: boolean): boolean {
  if (systemdRuns()) return true;
  const target = config.activation.systemdTarget;
  if (!serving && config.serve.leaseMs > 0)
    throw new OperationError('COMMAND_FAILED', `systemd does not run here: nothing is known of ${target}`);
  log.warn('activation.systemd.absent', { target });
  return false;
}

/** Does not wait for the workload, which may take minutes to start. */
async function startTarget(target: string, { config, clock }: OutputParts, signal?: AbortSignal): Promise<void> {
  const command = ['systemctl', 'start', '--no-block', '--no-ask-password', target];
  const options = { clock, timeoutMs: config.activation.timeoutMs, ...(signal ? { signal } : {}) };
  const outcome = await runCommand(command, options);
  failUnlessDone(outcome, `systemctl start ${target}`);
}

/** Does wait, because serving has to be over. */
async function stopTarget(target: string, { config, clock, log }: OutputParts): Promise<void> {
  const limits = { stopMs: config.activation.timeoutMs, killMs: KILL_MS };
  const names = [target, ...config.activation.workloads];
  await withdrawTarget(names, { units: serviceUnits(clock), clock, log, limits });
}

/** systemd switches off without waiting for units; when that did not help, without systemd. */
const POWER_OFF = ['systemctl', 'poweroff', '--force'];
const POWER_OFF_WITHOUT_SYSTEMD = ['systemctl', 'poweroff', '--force', '--force'];

async function powerOff({ config, clock }: OutputParts, attempt: number): Promise<void> {
  const configured = config.serve.poweroffCommand;
  if (configured === undefined && config.rootDir !== '')
    throw new OperationError('COMMAND_FAILED', "this machine is not the agent's own: it runs under a rootDir");
  const command = configured ?? (attempt === 1 ? POWER_OFF : POWER_OFF_WITHOUT_SYSTEMD);
  const outcome = await runCommand(command, { clock, timeoutMs: config.activation.timeoutMs });
  failUnlessDone(outcome, command.join(' '));
}

/** The text that workloads read. `since` is wall time, for people. */
const fileContent = (member: MemberId, wanted: WantedActivation, clock: Clock) => ({
  state: wanted.state,
  incarnation: wanted.incarnation,
  since: new Date(clock.wallMs()).toISOString(),
  instanceId: wanted.instanceId,
  member,
});

const hookEnvironment = (config: AgentConfig, wanted: WantedActivation): Readonly<Record<string, string>> => ({
  UNDERSTUDY_MEMBER: config.member,
  UNDERSTUDY_INSTANCE_ID: wanted.instanceId ?? '',
  UNDERSTUDY_INCARNATION: String(wanted.incarnation),
  UNDERSTUDY_ROOT: config.rootDir,
  UNDERSTUDY_STATE: wanted.state,
});

function failUnlessDone(outcome: CommandOutcome, what: string): void {
  if (outcome.kind === 'exited' && outcome.code === 0) return;
  const detail = outcome.kind === 'exited' ? `exit code ${outcome.code}: ${outcome.output}` : outcome.detail;
  throw new OperationError('COMMAND_FAILED', `${what}: ${detail}`);
}
