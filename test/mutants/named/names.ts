import type { NamedMutant } from '../run-named.ts';

const NAMES = ['test/scenarios/recovery/names.test.ts'];
const HOOKS = ['test/scenarios/recovery/hooks.test.ts'];
const FAILURE = ['test/scenarios/recovery/failure-hooks.test.ts'];
const WATCHED = ['test/scenarios/recovery/ownership-names.test.ts'];

/** Rules about records, target groups and hooks. */
export const NAMES_MUTANTS: readonly NamedMutant[] = [
  {
    name: 'na-upsert',
    rule: 'S12',
    story: 'a record is written over by UPSERT, whatever it says by then',
    edits: [
      {
        file: 'packages/aws/src/route53/dns-records-over.ts',
        find: "        { Action: 'DELETE', ResourceRecordSet: old },\n        { Action: 'CREATE', ResourceRecordSet: fresh },",
        replace: "        { Action: 'UPSERT', ResourceRecordSet: { ...old, ...fresh } },",
      },
    ],
    tests: NAMES,
  },
  {
    name: 'na-elsewhere',
    rule: 'S12',
    story: 'a record that somebody has pointed elsewhere counts as moved',
    edits: [
      {
        file: 'packages/recovery/src/core/record-move.ts',
        find: "if (wanted.every((value) => seen.values.includes(value))) return { kind: 'there' };",
        replace: "if (wanted.length > 0) return { kind: 'there' };",
      },
    ],
    tests: NAMES,
  },
  {
    name: 'na-set',
    rule: 'S12',
    story: 'sets of one name and type are not told apart by their identifier',
    edits: [
      {
        file: 'packages/recovery/src/identity/dns-record.ts',
        find: 'sets.find((one) => one.setIdentifier === setIdentifier) ?? null',
        replace: 'sets.at(-1) ?? null',
      },
    ],
    tests: NAMES,
  },
  {
    name: 'na-left-registered',
    rule: 'S12',
    story: 'the failed instance is left in its target groups',
    edits: [
      {
        file: 'packages/recovery/src/core/target-move.ts',
        find: 'const remove = old.filter((one) => within.has(keyOf(one)) && !own.has(keyOf(one)));',
        replace: 'const remove = old.filter((one) => !within.has(keyOf(one)) && own.has(keyOf(one)));',
      },
    ],
    tests: NAMES,
  },
  {
    name: 'na-reused',
    rule: 'S12',
    story: 'an address is taken away from whoever EC2 has given it to since',
    edits: [
      {
        file: 'packages/recovery/src/core/held-elsewhere.ts',
        find: '!ours.has(attachedInstanceId)',
        replace: 'ours.has(attachedInstanceId)',
      },
    ],
    tests: ['test/scenarios/recovery/names-reused-address.test.ts'],
  },
  {
    name: 'na-unhealthy',
    rule: 'S12',
    story: 'the recovery is closed as soon as the replacement is registered, healthy or not',
    edits: [
      {
        file: 'packages/recovery/src/core/target-move.ts',
        find: "if (!waiting) return { kind: 'there' };",
        replace: "if (!waiting || shown.length > 0) return { kind: 'there' };",
      },
    ],
    tests: NAMES,
  },
  {
    name: 'ho-refused',
    rule: 'S4',
    story: 'what a hook before something says is not listened to',
    edits: [
      {
        file: 'packages/recovery/src/steps/hook.ts',
        find: "if (outcome.kind === 'refused' && canRefuse(hook))",
        replace: "if (outcome.kind === 'refused' && !canRefuse(hook))",
      },
    ],
    tests: HOOKS,
  },
  {
    name: 'ho-unasked',
    rule: 'S4',
    story: 'the fence does not wait for the hooks before it',
    edits: [
      {
        file: 'packages/recovery/src/core/hook-rows.ts',
        find: "waiting(row, idsAt('before-fence'))",
        replace: "waiting(row, idsAt('on-failure'))",
      },
    ],
    tests: HOOKS,
  },
  {
    name: 'ho-not-mended',
    rule: 'S28',
    story: 'a recovery that mends nothing forgets its hooks on failure',
    edits: [
      {
        file: 'packages/recovery/src/core/in-place.ts',
        find: "outcome === 'not-mended' && owedHooks",
        replace: "outcome === 'mended' && owedHooks",
      },
    ],
    tests: FAILURE,
  },
  {
    name: 'ho-forgotten',
    rule: 'S28',
    story: 'what a leader has begun of the hooks on failure counts as run',
    edits: [
      {
        file: 'packages/recovery/src/failure-hooks.ts',
        find: 'return work.outcome ?? (isOver ? NOT_KNOWN : null);',
        replace: 'return work.outcome ?? (isOver ? null : NOT_KNOWN);',
      },
    ],
    tests: FAILURE,
  },
  {
    name: 'ow-moved-on',
    rule: 'S12',
    story: 'the watch puts back what a recovery has moved although the member has moved on since',
    edits: [
      {
        file: 'packages/recovery/src/ownership-watch.ts',
        find: '{ key: keys.activation(record.member), modRevision: activationModRevision },',
        replace: '',
      },
    ],
    tests: WATCHED,
  },
  {
    name: 'ow-reused',
    rule: 'S12',
    story: 'a record is pointed back although another machine has the old address by now',
    edits: [
      {
        file: 'packages/recovery/src/identity/dns-record-watch.ts',
        find: 'return held.size === 0 ? found :',
        replace: 'return held.size >= 0 ? found :',
      },
    ],
    tests: WATCHED,
  },
  {
    name: 'ow-registered',
    rule: 'S12',
    story: 'a retired instance that is registered again is left in its target group',
    edits: [
      {
        file: 'packages/recovery/src/identity/target-group-watch.ts',
        find: 'move.remove.length > 0 ?',
        replace: 'move.remove.length < 0 ?',
      },
    ],
    tests: WATCHED,
  },
];
