import { SeededRandom, SimClock } from '@understudy/shared/testing';
import { describe, expect, it } from 'vitest';
import { EXIT, exitCodeOf } from './exit-codes.ts';
import { buildProgram } from './program.ts';
import { OperationError } from '@understudy/shared';

const program = () => {
  const built = buildProgram({ clock: new SimClock(), random: new SeededRandom(1), environment: {} });
  const quiet = { writeOut: () => undefined, writeErr: () => undefined };
  for (const command of [built, ...built.commands]) command.configureOutput(quiet).exitOverride();
  return built;
};

describe('the command line', () => {
  it('knows every process and every question of this version', () => {
    const names = program().commands.map((each) => each.name());
    for (const name of [
      'agent',
      'coordinator',
      'cloud-sim',
      'demo',
      'iam-policy',
      'status',
      'members',
      'explain',
      'inspect',
      'agent-key',
      'keys',
    ])
      expect(names).toContain(name);
  });

  it('refuses an unknown command, an unknown option and a process without configuration', async () => {
    for (const args of [['nonsense'], ['status', '--nonsense'], ['agent']]) {
      await expect(program().parseAsync(['node', 'understudy', ...args])).rejects.toMatchObject({ exitCode: 1 });
    }
  });

  it('refuses a speed that is no number', async () => {
    await expect(program().parseAsync(['node', 'understudy', 'demo', '--speed', 'fast'])).rejects.toMatchObject({
      exitCode: 1,
    });
  });
});

describe('exit codes', () => {
  it('tell configuration, absence and refusal apart', () => {
    expect(exitCodeOf(new OperationError('CONFIG_INVALID', 'x'))).toBe(EXIT.config);
    expect(exitCodeOf(new OperationError('STORE_UNAVAILABLE', 'x'))).toBe(EXIT.unavailable);
    expect(exitCodeOf(new OperationError('NOT_A_COORDINATOR', 'x'))).toBe(EXIT.unavailable);
    expect(exitCodeOf(new OperationError('CLOUD_DENIED', 'x'))).toBe(EXIT.failed);
    expect(exitCodeOf(new TypeError('bug'))).toBe(EXIT.software);
  });
});
