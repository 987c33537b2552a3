import { keyspace, opIdOf, type WallMs, wallMs } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import type { ClusterRecords } from '../store/cluster-records.ts';
import type { CommandFacts, RecoveryCommand } from './command.ts';
import { decideRecovery, type Standing } from './recoveries.ts';

const MEMBER = 'prod/db1';
const KEYS = keyspace();
const NOW: WallMs = wallMs(1_000_000);
const DEAD: Standing = { reasonCode: 'Silent', act: true, reason: 'dead', gates: [] };
const ABANDONED: Standing = { ...DEAD, reasonCode: 'Abandoned', act: false };

/** `open`: the recovery that has an intent; `by`: the one that put the instance in charge. */
function factsOf({ open = null, by = null }: { open?: string | null; by?: string | null } = {}): CommandFacts {
  const activation = { member: MEMBER, instanceId: 'i-2', incarnation: 2, opId: by, ordinal: 0 };
  const intents = open === null ? [] : [[MEMBER, { record: { member: MEMBER, opId: open }, modRevision: 41 }] as const];
  const records = {
    ...{ requests: new Map(), holds: new Map(), members: new Map(), intents: new Map(intents) },
    activations: new Map([[MEMBER, { record: activation, modRevision: 40 }]]),
  };
  return { records: records as unknown as ClusterRecords, keys: KEYS, nowWallMs: NOW } as CommandFacts;
}

const decide = (facts: CommandFacts, standing: Standing, over: Partial<RecoveryCommand> = {}) =>
  decideRecovery(
    {
      command: {
        ...{ kind: 'recover', member: MEMBER, by: null, opId: null, loss: null, leaveOpen: false },
        ...{ overrides: [], planToken: null },
        ...over,
      },
      ...{ caller: { identity: 'ann', from: '', requestId: 'r' }, reason: 'a test', idempotencyKey: null },
    },
    facts,
    () => standing,
  );

describe('recover', () => {
  test('of a member that is dead now holds for two minutes, also without an override', () => {
    const decision = decide(factsOf(), DEAD);
    expect(decision).toMatchObject({ kind: 'change', after: { untilWallMs: NOW + 120_000 } });
  });

  test('of one that waits for a person stands until it is carried out', () => {
    const decision = decide(factsOf(), ABANDONED);
    expect(decision.kind === 'change' && decision.after).not.toHaveProperty('untilWallMs');
  });

  test('of an activated replacement that died, while its recovery is owed chores, is about the next one', () => {
    const decision = decide(factsOf({ open: 'op-1', by: 'op-1' }), DEAD, { overrides: ['Cooldown'] });
    expect(decision).toMatchObject({
      kind: 'change',
      after: { kind: 'recover', opId: opIdOf('i-2'), overrides: ['Cooldown'] },
      effect: {
        also: [
          { key: KEYS.intent(MEMBER), modRevision: 41 },
          { key: KEYS.activation(MEMBER), modRevision: 40 },
        ],
      },
    });
  });

  test('is refused while the open recovery has activated nobody: it has passed every gate', () => {
    const decision = decide(factsOf({ open: 'op-1', by: 'op-0' }), DEAD, { overrides: ['Cooldown'] });
    expect(decision).toMatchObject({ kind: 'refused', code: 'OTHER_RECOVERY' });
  });
});

test('what else is asked while chores are owed is about the recovery that owes them', () => {
  const decision = decide(factsOf({ open: 'op-1', by: 'op-1' }), DEAD, { kind: 'retry' });
  expect(decision).toMatchObject({ kind: 'change', after: { kind: 'retry', opId: 'op-1' } });
});
