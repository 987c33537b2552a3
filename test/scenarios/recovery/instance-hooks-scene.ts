import { runCommandHook, HooksConfigSchema } from '@understudy/coordinator/testing';
import type { GroupPolicy } from '@understudy/shared';
import { seedInstance } from '@understudy/cloud-sim';
import type { RecoveryFixture, RecoveryFixtureOptions } from './recovery-fixture.ts';

const TIMEOUT_MS = 30_000;

type At = GroupPolicy['hooks']['list'][number]['at'];

/** The id of the hook that the lines are about, without the recovery's. */
const idIn = (lines: readonly string[]): string =>
  (/^ID='([^']+)'/m.exec(lines.join('\n'))?.[1] ?? '').split('.').slice(1).join('.');

interface InstanceHook {
  readonly name: string;
  readonly at: At;
  /** `witness`: an instance that is no member, and lives. */
  readonly on: 'predecessor' | 'successor' | 'witness';
  readonly whenUnreached?: 'refuse' | 'pass';
}

/** A member whose policy has these hooks on instances; all of them have an agent. */
export function instanceHooksOf(hooks: readonly InstanceHook[]) {
  const here = { witness: '' };
  const ran: string[] = [];
  const list = hooks.map(({ name, at }) => ({ name, at, command: name, timeoutMs: TIMEOUT_MS }));
  const commandOf = (name: string) => {
    const found = hooks.find((one) => one.name === name);
    const on = found?.on === 'witness' ? here.witness : found?.on;
    const whenUnreached = found?.whenUnreached ?? 'refuse';
    const [command] = HooksConfigSchema.parse({
      commands: [{ name, script: 'true', on, whenUnreached }],
    }).commands;
    if (!command) throw new Error(`no command ${name}`);
    return command;
  };
  const options: RecoveryFixtureOptions = {
    ...{ dataVolumes: 0, policy: { hooks: { list } } },
    hooksOver:
      (commands, { clock, log, sim }) =>
      (hook, message, signal) => {
        if (message.newInstanceId !== null) sim.setManaged(message.newInstanceId);
        return runCommandHook(commandOf(hook.command ?? ''), { hook, message, signal }, { commands, clock, log });
      },
  };
  return {
    options,
    prepare: async (scene: RecoveryFixture, old: { readonly instanceId: string }): Promise<void> => {
      ran.length = 0;
      scene.sim.commands.guest = (_, lines) => {
        ran.push(idIn(lines));
        return { exitCode: 0, output: 'done', errors: '', tookMs: 3_000 };
      };
      here.witness = seedInstance(scene.sim, { member: 'db/witness' }).instanceId;
      for (const id of [old.instanceId, here.witness]) scene.sim.setManaged(id);
      for (const kind of scene.resources()) for (const one of kind) scene.seededIds.add(one.id);
    },
    /**
     * Ids that instances were given to run, in order, as often as they were. There is no guard
     * here: what is there twice would need it.
     */
    ran: (): readonly string[] => [...ran],
  };
}
