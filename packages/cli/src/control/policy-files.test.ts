import { describe, expect, test } from 'vitest';
import { policyText, readPolicies, threeWayText } from './policy-files.ts';

const own = { guard: { cooldownMs: '7m' } };
const view = {
  group: 'db',
  revision: 12,
  own,
  effective: { guard: { cooldownMs: 420_000, flapLimit: 3 } },
  refused: null,
};

describe('a file of policies', () => {
  test('has a group a document, with the revision it was made from, or none', () => {
    const text = 'group: a\nrevision: 3\npolicy: {guard: {flapLimit: 5}}\n---\ngroup: b\npolicy:\n';
    expect(readPolicies(text, 'groups.yaml')).toEqual([
      { group: 'a', revision: 3, policy: { guard: { flapLimit: 5 } } },
      { group: 'b', revision: null, policy: {} },
    ]);
  });

  test('takes back what get policy prints, which names what is default', () => {
    const text = policyText(view);
    expect(text).toContain('#   guard.flapLimit: 3');
    expect(readPolicies(text, 'x')).toEqual([{ group: 'db', revision: 12, policy: own }]);
  });

  test.each([
    ['no group', 'policy: {}\n', 'group'],
    ['another field', 'group: a\npolcy: {}\n', 'polcy'],
    ['no YAML', 'group: [a\n', 'groups.yaml'],
    ['nothing', '\n', 'no group'],
  ])('%s is refused, and the place is named', (_, text, named) => {
    expect(() => readPolicies(text, 'groups.yaml')).toThrow(named);
  });
});

test('where somebody was faster, what each has changed is shown', () => {
  const yours = { guard: { cooldownMs: 1 } };
  const theirs = { guard: { cooldownMs: '7m', flapLimit: 9 } };
  expect(threeWayText({ group: 'db', base: own, yours, theirs })).toBe(
    [
      'db: you changed:',
      '  ~ guard.cooldownMs: "7m" → 1',
      'db: meanwhile somebody else changed:',
      '  + guard.flapLimit: 9',
    ].join('\n'),
  );
  expect(threeWayText({ group: 'db', base: null, yours, theirs })).toContain('- guard.flapLimit: 9 → (default)');
});
