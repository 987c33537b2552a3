import { describe, expect, test } from 'vitest';
import { HoldReasonSchema } from './records/cluster.ts';
import { commandsFor, WAYS_OUT } from './ways-out.ts';

describe('the way out of every hold', () => {
  test.each(HoldReasonSchema.options)('%s ends by itself, by an act or by a command', (reason) => {
    const { means, act, commands, endsByItself } = WAYS_OUT[reason];
    expect(means.length).toBeGreaterThan(10);
    expect(act.length).toBeGreaterThan(3);
    if (act.startsWith('none')) expect(endsByItself).toBe(true);
    for (const command of commands) expect(command).toMatch(/^understudy [a-z]/);
  });

  test('a recovery that is under way can always be ended by command', () => {
    const ofEngine = [
      'FenceNotProven',
      'CaptureFailed',
      'CaptureTimeout',
      'LaunchAttemptsExhausted',
      'CloudRejected',
    ] as const;
    for (const reason of ofEngine)
      expect(commandsFor(reason, 'prod/db1')).toContain('understudy abandon prod/db1 --reason TEXT');
  });
});
