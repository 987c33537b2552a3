import { describe, expect, test } from 'vitest';
import { REGISTERED } from '../registered.ts';
import { snapshotAndReplace } from '../strategies/snapshot-and-replace.ts';
import { planFixture } from './plan.fixture.ts';
import { currentAttempt, readySteps, type StepState } from './step-table.ts';

const PLAN = {
  ...planFixture(),
  addresses: [
    { allocationId: 'eipalloc-1', publicIp: '203.0.113.1', associationId: null },
    { allocationId: 'eipalloc-2', publicIp: '203.0.113.2', associationId: null },
  ],
};
const ready = (states: Readonly<Record<string, StepState>>) =>
  readySteps(new Map(Object.entries(states)), snapshotAndReplace.steps(PLAN, REGISTERED)).map((key) => key.id);

const FENCED = { fence: 'done' } as const;
const IMAGED = { ...FENCED, capture: 'done', image: 'done' } as const;
const LAUNCHED = { ...IMAGED, 'permit-1': 'done', 'launch-1': 'done' } as const;
const ACTIVE = { ...LAUNCHED, 'verify-1': 'done', activate: 'done' } as const;

describe('readySteps', () => {
  test.each<[string, Readonly<Record<string, StepState>>, readonly string[]]>([
    ['nothing before the fence', {}, ['fence']],
    ['a fence that is not proven holds up everything', { fence: 'started' }, ['fence']],
    ['not even what has failed is revoked before it', { fence: 'started', 'permit-1': 'failed' }, ['fence']],
    ['the permit beside the capture', FENCED, ['capture', 'permit-1']],
    ['the image after the capture', { ...FENCED, capture: 'done', 'permit-1': 'done' }, ['image']],
    ['no launch without the image', { ...FENCED, capture: 'done', 'permit-1': 'done', image: 'started' }, ['image']],
    ['no launch without the permit', IMAGED, ['permit-1']],
    ['the launch', { ...IMAGED, 'permit-1': 'done' }, ['launch-1']],
    ['verify', LAUNCHED, ['verify-1']],
    ['a failed launch is revoked, nothing else', { ...IMAGED, 'permit-1': 'done', 'launch-1': 'failed' }, ['revoke-1']],
    ['a failed permit too, beside the capture', { ...FENCED, 'permit-1': 'failed' }, ['capture', 'revoke-1']],
    ['a failed verification', { ...LAUNCHED, 'verify-1': 'failed' }, ['revoke-1']],
    [
      'no second permit while the first is being revoked',
      { ...LAUNCHED, 'verify-1': 'failed', 'revoke-1': 'started' },
      ['revoke-1'],
    ],
    ['the second attempt', { ...LAUNCHED, 'verify-1': 'failed', 'revoke-1': 'done' }, ['permit-2']],
    ['activation', { ...LAUNCHED, 'verify-1': 'done' }, ['activate']],
    ['the addresses side by side', ACTIVE, ['address-eipalloc-1', 'address-eipalloc-2']],
    ['done after all of them', { ...ACTIVE, 'address-eipalloc-1': 'done', 'address-eipalloc-2': 'done' }, ['done']],
  ])('%s', (_name, states, want) => expect(ready(states)).toEqual(want));
});

test('the open attempt is the first that has not been ended', () => {
  expect(currentAttempt(new Map())).toBe(1);
  expect(
    currentAttempt(
      new Map<string, StepState>([
        ['revoke-1', 'done'],
        ['revoke-2', 'started'],
      ]),
    ),
  ).toBe(2);
});
