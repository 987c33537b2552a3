import type { NamedMutant } from '../run-named.ts';

const PRESENCE_TESTS = ['packages/coordinator/src/observing/presence-of-builds.test.ts'];
const LEADING_TESTS = ['packages/coordinator/src/leadership/leading-builds.test.ts'];
const LEVEL_TESTS = ['packages/coordinator/src/store/feature-level.test.ts'];
const SCENARIOS = ['test/scenarios/coordinator/builds.test.ts'];

/** Builds beside each other. */
export const BUILDS_MUTANTS: readonly NamedMutant[] = [
  {
    name: 'bu-present-uncompared',
    rule: 'S24',
    story: 'our presence is written whatever was agreed on since we looked',
    edits: [
      {
        file: 'packages/coordinator/src/observing/presence.ts',
        find: 'also: [level] };',
        replace: 'also: [] };',
      },
    ],
    tests: PRESENCE_TESTS,
  },
  {
    name: 'bu-stays-present',
    rule: 'S24',
    story: 'who was present when a higher level was agreed on stays',
    edits: [
      {
        file: 'packages/coordinator/src/observing/presence.ts',
        find: 'if (standing === null || this.#levelGate.compare() !== null) return;',
        replace: 'return;',
      },
    ],
    tests: PRESENCE_TESTS,
  },
  {
    name: 'bu-elected-uncompared',
    rule: 'S24',
    story: 'a candidate is elected whatever was agreed on since it looked',
    edits: [
      {
        file: 'packages/coordinator/src/leadership/leadership.ts',
        find: 'compare: [{ key: keys.leader, createRevision: 0 }, agreed],',
        replace: 'compare: [{ key: keys.leader, createRevision: 0 }],',
      },
    ],
    tests: LEADING_TESTS,
  },
  {
    name: 'bu-in-force-alone',
    rule: 'S24',
    story: 'what was agreed on is in force, whoever is present',
    edits: [
      {
        file: 'packages/coordinator/src/store/feature-level.ts',
        find: 'return Math.min(agreed, ...live.map((level) => level ?? build.oldest));',
        replace: 'return agreed;',
      },
    ],
    tests: [...LEVEL_TESTS, ...SCENARIOS],
  },
  {
    name: 'bu-agreed-by-the-leader',
    rule: 'S24',
    story: 'the leader agrees on what it understands itself',
    edits: [
      {
        file: 'packages/coordinator/src/store/feature-level.ts',
        find: 'const least = Math.min(build.level, ...live.map((level) => level ?? 0));',
        replace: 'const least = build.level;',
      },
    ],
    tests: [...LEVEL_TESTS, ...SCENARIOS],
  },
  {
    name: 'bu-agreed-over-strangers',
    rule: 'S24',
    story: 'a presence that cannot be read is no obstacle to a higher level',
    edits: [
      {
        file: 'packages/coordinator/src/store/feature-level.ts',
        find: 'live.length === 0 || live.includes(null)) return null;',
        replace: 'live.length === 0) return null;\n  live = live.filter((level) => level !== null);',
      },
    ],
    tests: LEVEL_TESTS,
  },
  {
    name: 'bu-strangers-unheard',
    rule: 'S24',
    story: 'who is present and cannot be read has no veto',
    edits: [
      {
        file: 'packages/coordinator/src/leader/assessor.ts',
        find: '...view.strangers().map((coordinatorId) => ({ coordinatorId, az: null })),',
        replace: '',
      },
    ],
    tests: SCENARIOS,
  },
  {
    name: 'bu-strangers-accuse',
    rule: 'S24',
    story: 'who is present and cannot be read counts among those who must agree',
    edits: [
      {
        file: 'packages/coordinator/src/judge/quorum.ts',
        find: 'const agreeing = all.filter((vote) => known.has(vote.observer));',
        replace: 'const agreeing = all.filter((vote) => known.has(vote.observer) || true);',
      },
    ],
    tests: SCENARIOS,
  },
  {
    name: 'bu-step-forgets',
    rule: 'S24',
    story: 'a step that is written again loses what a newer build wrote into it',
    edits: [
      {
        file: 'packages/recovery/src/journal.ts',
        find: '...(before && carriedFields(JournalRecordSchema, before)),',
        replace: '',
      },
    ],
    tests: ['test/scenarios/recovery/newer-build.test.ts'],
  },
  {
    name: 'bu-activation-forgets',
    rule: 'S24',
    story: 'an activation loses what a newer build wrote into the one before',
    edits: [
      {
        file: 'packages/recovery/src/steps/activate.ts',
        find: 'record: { ...(await carriedOver(run)), member,',
        replace: 'record: { member,',
      },
    ],
    tests: ['test/scenarios/recovery/newer-build.test.ts'],
  },
  {
    name: 'bu-any-level-will-do',
    rule: 'S24',
    story: 'a record that takes a newer build to act by is acted by',
    edits: [
      {
        file: 'packages/shared/src/records/record.ts',
        find: 'return neededLevel > FEATURE_LEVEL',
        replace: 'return neededLevel > 1_000',
      },
    ],
    tests: ['packages/shared/src/records/record.test.ts'],
  },
];
