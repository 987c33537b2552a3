import { HoldReasonSchema } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { gate } from './guard-input.ts';
import { OVERRIDE_RULES, overridden } from './overrides.ts';

const REASONS = HoldReasonSchema.options;
const held = (name: (typeof REASONS)[number]) => gate(name, false, { value: 'is so', limit: 'is not' });
const by = (...gates: (typeof REASONS)[number][]) => ({ gates, by: 'ann', why: 'looked' });

describe('an override', () => {
  test('may be given for what weighs likelihood, and for nothing else', () => {
    expect(REASONS.filter((one) => OVERRIDE_RULES[one].may).toSorted()).toEqual([
      ...['BootGrace', 'BudgetExhausted', 'Cooldown', 'Flapping', 'GroupConcurrency'],
      ...['MaintenanceWindow', 'MassFailure', 'Protected', 'RecoveringByEc2', 'ZoneFailure'],
    ]);
  });

  test.each(REASONS.filter((one) => OVERRIDE_RULES[one].may))('lets %s pass, and says whose word it is', (name) => {
    const result = overridden(held(name), by(name));
    expect([result.passes, result.text]).toEqual([true, 'is so; overridden by ann: looked']);
  });

  test.each(REASONS.filter((one) => !OVERRIDE_RULES[one].may))('never lets %s pass', (name) => {
    expect(overridden(held(name), by(name, ...REASONS)).passes).toBe(false);
  });

  test('lets pass only what it names', () => {
    expect(overridden(held('MassFailure'), by('ZoneFailure')).passes).toBe(false);
    expect(overridden(held('MassFailure'), null).passes).toBe(false);
  });
});
