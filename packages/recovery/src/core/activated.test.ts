import type { IntentRecord, MemberId } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { activationRecord, intentRecord } from '@understudy/shared/testing';
import { hasActivated, undecidedRecovery } from './activated.ts';

const MEMBER: MemberId = 'db/one';
const intent = intentRecord(MEMBER, 'i-1');
const by = (opId: string | null) => ({ ...activationRecord(MEMBER, 'i-2', 2), opId });

test('a recovery has activated its replacement when the activation is its own', () => {
  expect(hasActivated(intent, by(intent.opId))).toBe(true);
  expect(hasActivated(intent, by('op-x'))).toBe(false);
  expect(hasActivated(intent, by(null))).toBe(false);
  expect(hasActivated(intent, null)).toBe(false);
  expect(hasActivated(intent, undefined)).toBe(false);
});

describe('nobody else judges a member', () => {
  const found = (open: IntentRecord | null, activation: ReturnType<typeof by> | null) =>
    undecidedRecovery(
      {
        intents: new Map(open ? [[MEMBER, { record: open }]] : []),
        activations: new Map(activation ? [[MEMBER, { record: activation }]] : []),
      },
      MEMBER,
    );
  test('while a recovery decides who will serve', () => {
    expect(found(intent, by('op-x'))).toBe(intent);
    expect(found(intent, null)).toBe(intent);
  });
  test('but for chores, or where there is none, it is judged like any other', () => {
    expect(found(intent, by(intent.opId))).toBeNull();
    expect(found(null, by(null))).toBeNull();
  });
});
