import { type Clock, type Log, type MemberId, OperationError } from '@understudy/shared';
import { rm } from 'node:fs/promises';
import type { AgentConfig } from '../config.ts';
import { rooted } from '../config-values.ts';
import type { ActivationOutputs, WantedActivation } from '../activation-applier.ts';
import { type CommandOutcome, runCommand } from './command-runner.ts';
import { writeDurably } from './durable-file.ts';

interface OutputParts {
  readonly config: AgentConfig;
  readonly clock: Clock;
  readonly log: Log;
}

/** The file, the systemd target and the hooks that tell the workload. */
export function activationOutputs({ config, clock, log }: OutputParts): ActivationOutputs {
  const { activation } = config;
  const path = rooted(config, activation.file);
  const run = (command: readonly string[], env: Readonly<Record<string, string>>) =>
    runCommand(command, { clock, timeoutMs: activation.timeoutMs, env });
  return {
    async writeFile(wanted) {
      await writeDurably(path, `${JSON.stringify(fileContent(config.member, wanted, clock))}\n`, 0o644);
    },
    removeFile: () => rm(path, { force: true }),
    async tellTarget(serving) {
      const target = activation.systemdTarget;
      if (target === undefined) return;
      // Starting does not wait for the workload (it may take minutes). Stopping does wait, because
      // serving has to be over.
      const verb = serving ? ['start', '--no-block'] : ['stop'];
      const outcome = await run(['systemctl', ...verb, target], {});
      // A leader may be waiting for our lease to run out. A missing answer is no proof that the
      // target has stopped.
      const mayBeAbsent = serving || config.serve.leaseMs === 0;
      if (mayBeAbsent && systemdAbsent(outcome)) log.warn('activation.systemd.absent', { target, outcome });
      else failUnlessDone(outcome, `systemctl ${verb.join(' ')} ${target}`);
    },
    async runHook(wanted) {
      const command = wanted.state === 'active' ? activation.onActivate : activation.onDeactivate;
      if (!command) return;
      failUnlessDone(await run(command, hookEnvironment(config, wanted)), command[0] ?? '');
    },
    async powerOff() {
      failUnlessDone(await run(config.serve.poweroffCommand, {}), config.serve.poweroffCommand[0] ?? '');
    },
  };
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

const systemdAbsent = (outcome: CommandOutcome): boolean =>
  outcome.kind === 'not-started' ||
  (outcome.kind === 'exited' &&
    outcome.code !== 0 &&
    /not been booted with systemd|connect to (system )?bus/i.test(outcome.output));

function failUnlessDone(outcome: CommandOutcome, what: string): void {
  if (outcome.kind === 'exited' && outcome.code === 0) return;
  const detail = outcome.kind === 'exited' ? `exit code ${outcome.code}: ${outcome.output}` : outcome.detail;
  throw new OperationError('COMMAND_FAILED', `${what}: ${detail}`);
}
