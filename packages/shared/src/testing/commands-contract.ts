import { strict as assert } from 'node:assert';
import { type ErrorCode, isOperationError } from '../errors.ts';
import type { CommandInvocation, RemoteCommand, RemoteCommands } from '../ports/remote-commands.ts';

export type CommandsContractFault = 'throttle' | 'internal-error' | 'foreign-answer' | 'lost-reply';

/** What the suite needs of an environment that has Run Command. */
export interface CommandsContractFixture {
  readonly commands: RemoteCommands;
  /** With an agent. */
  readonly instanceId: string;
  /** One that no agent was ever known by. */
  readonly unknownId: string;
  /** With an agent, and of no group that the caller may touch. */
  readonly forbiddenId: string;
  /** What every script comes to from now on. `tookMs` at speed 1. */
  script(result: { exitCode?: number; output?: string; errors?: string; tookMs?: number }): void;
  /** The agent's way to the service. */
  cutOff(on: boolean): void;
  /** It stands still with what it has fetched; false: it goes on, and runs that. */
  freeze(on: boolean): void;
  stopInstance(): Promise<void>;
  duplicated(share: number): void;
  /** Scripts that have begun, whatever the service tells. */
  executions(): number;
  fault(action: string, kind: CommandsContractFault): { firedCount(): number };
  /** At speed 1. */
  sleep(durationMs: number): Promise<void>;
  wallMs(): number;
}

export interface CommandsContractCase {
  readonly name: string;
  run(fixture: CommandsContractFixture): Promise<void>;
}

async function refused(work: Promise<unknown>, code: ErrorCode): Promise<void> {
  try {
    await work;
  } catch (error) {
    assert.ok(isOperationError(error), `want an OperationError, got ${String(error)}`);
    assert.equal(error.code, code, error.message);
    return;
  }
  assert.fail(`want ${code}, but it succeeded`);
}

const commandFor = (f: CommandsContractFixture, more: Partial<RemoteCommand> = {}): RemoteCommand => ({
  ...{ instanceId: f.instanceId, comment: 'understudy:op-1.flush.1', lines: ['echo "$1"'] },
  ...{ deliverWithinMs: 60_000, runWithinMs: 600_000, ...more },
});

/** Looks until the command is in one of these states. */
async function reaching(
  f: CommandsContractFixture,
  commandId: string,
  ...states: readonly CommandInvocation['state'][]
): Promise<CommandInvocation> {
  let last: CommandInvocation | null = null;
  for (let looks = 0; looks < 400; looks += 1) {
    last = await f.commands.invocation({ commandId, instanceId: f.instanceId });
    if (last && states.includes(last.state)) return last;
    await f.sleep(3_000);
  }
  return assert.fail(`want ${states.join(' or ')}, got ${last?.state ?? 'nothing'}`);
}

const RUNS: readonly CommandsContractCase[] = [
  {
    name: 'a script runs on the instance, and what it said and ended with is told',
    async run(f) {
      f.script({ output: 'größer\n', errors: 'careful\n' });
      const { commandId } = await f.commands.send(commandFor(f));
      const { exitCode, output, errors, hasBegun } = await reaching(f, commandId, 'success');
      assert.deepEqual([exitCode, output, errors, hasBegun], [0, 'größer\n', 'careful\n', true]);
    },
  },
  {
    name: 'a script that fails is told with its number',
    async run(f) {
      f.script({ exitCode: 7 });
      const { commandId } = await f.commands.send(commandFor(f));
      assert.equal((await reaching(f, commandId, 'failed')).exitCode, 7);
    },
  },
  {
    name: 'what a script says is cut after 24 000 characters, and after 8 000 of its errors',
    async run(f) {
      f.script({ output: 'o'.repeat(30_000), errors: 'e'.repeat(30_000) });
      const { commandId } = await f.commands.send(commandFor(f));
      const { output, errors } = await reaching(f, commandId, 'success');
      assert.deepEqual([output.length, errors.length], [24_000, 8_000]);
    },
  },
  {
    name: 'a script that runs too long is ended by its agent: execution timed out',
    async run(f) {
      f.script({ tookMs: 3_600_000 });
      const { commandId } = await f.commands.send(commandFor(f, { runWithinMs: 20_000 }));
      assert.equal((await reaching(f, commandId, 'execution-timed-out')).exitCode, null);
    },
  },
  {
    name: 'what does not reach its agent is delayed, then delivery timed out, and does not run later',
    async run(f) {
      f.cutOff(true);
      const { commandId } = await f.commands.send(commandFor(f, { deliverWithinMs: 45_000 }));
      await reaching(f, commandId, 'delayed', 'delivery-timed-out');
      assert.equal((await reaching(f, commandId, 'delivery-timed-out')).hasBegun, false);
      f.cutOff(false);
      await f.sleep(60_000);
      assert.equal(f.executions(), 0);
    },
  },
  {
    name: 'an agent that comes back in time runs what is left for it: late',
    async run(f) {
      f.cutOff(true);
      const { commandId } = await f.commands.send(commandFor(f, { deliverWithinMs: 600_000 }));
      await f.sleep(120_000);
      f.cutOff(false);
      await reaching(f, commandId, 'success');
      assert.equal(f.executions(), 1);
    },
  },
  {
    name: 'delivery timed out is no promise: an agent that stood still runs what it had fetched',
    async run(f) {
      f.freeze(true);
      const times = { deliverWithinMs: 30_000, runWithinMs: 30_000 };
      const { commandId } = await f.commands.send(commandFor(f, times));
      await reaching(f, commandId, 'delivery-timed-out');
      assert.equal(f.executions(), 0);
      f.freeze(false);
      assert.equal(f.executions(), 1);
    },
  },
  {
    name: 'sent twice it runs twice: there is no token; and once sent it may be delivered twice',
    async run(f) {
      const first = await f.commands.send(commandFor(f));
      const second = await f.commands.send(commandFor(f));
      assert.notEqual(first.commandId, second.commandId);
      await reaching(f, second.commandId, 'success');
      await reaching(f, first.commandId, 'success');
      assert.equal(f.executions(), 2);
      f.duplicated(1);
      const third = await f.commands.send(commandFor(f));
      await reaching(f, third.commandId, 'success');
      assert.equal(f.executions(), 4);
    },
  },
  {
    name: 'what is called off before it is delivered does not run; what runs is told to end',
    async run(f) {
      f.cutOff(true);
      const early = await f.commands.send(commandFor(f));
      await f.commands.cancel({ ...early, instanceId: f.instanceId });
      await reaching(f, early.commandId, 'cancelled');
      f.cutOff(false);
      f.script({ tookMs: 3_600_000 });
      const late = await f.commands.send(commandFor(f));
      await reaching(f, late.commandId, 'in-progress');
      await f.commands.cancel({ ...late, instanceId: f.instanceId });
      await reaching(f, late.commandId, 'cancelled');
      assert.equal(f.executions(), 1);
    },
  },
  {
    name: 'it is found again by its comment, newest first, and no other instance’s',
    async run(f) {
      const wanted = { instanceId: f.instanceId, comment: 'understudy:op-1.flush.1', sentAfterWallMs: f.wallMs() };
      assert.deepEqual(await f.commands.find(wanted), []);
      await f.commands.send(commandFor(f, { comment: 'understudy:op-2.flush.1' }));
      const first = await f.commands.send(commandFor(f));
      await f.sleep(5_000);
      const second = await f.commands.send(commandFor(f));
      await f.sleep(5_000);
      assert.deepEqual(await f.commands.find(wanted), [second.commandId, first.commandId]);
      assert.deepEqual(await f.commands.find({ ...wanted, instanceId: f.forbiddenId }), []);
    },
  },
];

const FAULTS: readonly (readonly [CommandsContractFault, ErrorCode, ErrorCode])[] = [
  ['throttle', 'CLOUD_THROTTLED', 'CLOUD_THROTTLED'],
  ['internal-error', 'CLOUD_UNAVAILABLE', 'CLOUD_OUTCOME_UNKNOWN'],
  ['foreign-answer', 'CLOUD_UNAVAILABLE', 'CLOUD_OUTCOME_UNKNOWN'],
  ['lost-reply', 'CLOUD_UNAVAILABLE', 'CLOUD_OUTCOME_UNKNOWN'],
];

const REFUSALS: readonly CommandsContractCase[] = [
  {
    name: 'an instance without an agent, and one that may not be touched, are told apart',
    async run(f) {
      await refused(f.commands.send(commandFor(f, { instanceId: f.unknownId })), 'CLOUD_NOT_FOUND');
      await refused(f.commands.send(commandFor(f, { instanceId: f.forbiddenId })), 'CLOUD_DENIED');
      assert.equal(f.executions(), 0);
    },
  },
  {
    name: 'what the service would change or not take is not sent',
    async run(f) {
      await refused(f.commands.send(commandFor(f, { lines: ['echo {{ssm:secret}}'] })), 'CLOUD_REJECTED');
      await refused(f.commands.send(commandFor(f, { comment: 'c'.repeat(101) })), 'CLOUD_REJECTED');
    },
  },
  {
    name: 'a command that is not there is told as nothing, and cannot be called off',
    async run(f) {
      const none = { commandId: '00000000-0000-4000-9000-999999999999', instanceId: f.instanceId };
      assert.equal(await f.commands.invocation(none), null);
      await refused(f.commands.cancel(none), 'CLOUD_REJECTED');
    },
  },
  {
    name: 'an agent is Online long after it was cut off, then lost; of a stopped instance none is shown',
    async run(f) {
      assert.equal((await f.commands.managed(f.instanceId))?.ping, 'Online');
      f.cutOff(true);
      await f.sleep(240_000);
      assert.equal((await f.commands.managed(f.instanceId))?.ping, 'Online');
      await f.sleep(900_000);
      const lost = await f.commands.managed(f.instanceId);
      assert.equal(lost?.ping, 'ConnectionLost');
      assert.ok((lost.lastPingAtWallMs ?? 0) > 1_000_000_000_000);
      await f.stopInstance();
      assert.equal(await f.commands.managed(f.instanceId), null);
      assert.equal(await f.commands.managed(f.unknownId), null);
    },
  },
  ...FAULTS.map(
    ([kind, read, change]): CommandsContractCase => ({
      name: `under ${kind}: a look is ${read}, a send ${change}, sent once and not again`,
      async run(f) {
        const looked = f.fault('ListCommandInvocations', kind);
        const wanted = { instanceId: f.instanceId, comment: 'understudy:op-1.flush.1', sentAfterWallMs: f.wallMs() };
        await refused(f.commands.find(wanted), read);
        const sent = f.fault('SendCommand', kind);
        await refused(f.commands.send(commandFor(f)), change);
        assert.deepEqual([looked.firedCount(), sent.firedCount()], [1, 1]);
        await f.sleep(10_000);
        const isThere = kind === 'lost-reply' || kind === 'foreign-answer';
        assert.equal(f.executions(), isThere ? 1 : 0);
        assert.equal((await f.commands.find(wanted)).length, isThere ? 1 : 0);
      },
    }),
  ),
];

/** Every implementation of {@link RemoteCommands} passes these. */
export const COMMANDS_CONTRACT: readonly CommandsContractCase[] = [...RUNS, ...REFUSALS];
