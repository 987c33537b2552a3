/**
 * What a test file gets for `import … from 'vitest'` when mutants are tried in one process:
 * vitest's own runner and assertions, without its workers.
 */
import {
  addCustomEqualityTesters,
  ASYMMETRIC_MATCHERS_OBJECT,
  customMatchers,
  GLOBAL_EXPECT,
  getState,
  JestAsymmetricMatchers,
  JestChaiExpect,
  JestExtend,
  setState,
} from '@vitest/expect';
import { getCurrentTest } from '@vitest/runner';
import * as chai from 'chai';

export { afterAll, afterEach, beforeAll, beforeEach, describe, it, onTestFinished, suite, test } from '@vitest/runner';

for (const plugin of [JestExtend, JestChaiExpect, JestAsymmetricMatchers]) chai.use(plugin);

type Expect = ((value: unknown, message?: string) => unknown) & Record<string, unknown>;
type Counting = Parameters<typeof getState>[0];

const asked = (value: unknown, message?: string): unknown => {
  setState({ assertionCalls: getState(counting).assertionCalls + 1 }, counting);
  const assertion = chai.expect(value, message) as unknown as { withTest(test: unknown): unknown };
  const running = getCurrentTest();
  return running ? assertion.withTest(running) : assertion;
};

/**
 * `expect`, built as vitest builds it from the same parts. It has no snapshots, mocks or polling.
 */
export const expect: Expect = Object.assign(asked, chai.expect, Reflect.get(globalThis, ASYMMETRIC_MATCHERS_OBJECT));
const counting = expect as unknown as Counting;

export function forgetAssertions(): void {
  setState({ assertionCalls: 0, expectedAssertionsNumber: null, isExpectingAssertions: false }, counting);
}

/** @throws when the test that ends now asked for a number of assertions and made another. */
export function checkAssertions(): void {
  const { assertionCalls, expectedAssertionsNumber, isExpectingAssertions } = getState(counting);
  const wanted = expectedAssertionsNumber ?? (isExpectingAssertions && assertionCalls === 0 ? 'some' : assertionCalls);
  if (wanted !== assertionCalls) throw new Error(`expected ${wanted} assertions, made ${assertionCalls}`);
}

const extend = (matchers: object): void => Reflect.get(chai.expect, 'extend').call(chai.expect, expect, matchers);

Object.assign(expect, {
  extend,
  assert: chai.assert,
  getState: () => getState(counting),
  setState: (state: object) => setState(state, counting),
  addEqualityTesters: addCustomEqualityTesters,
  assertions: (expectedAssertionsNumber: number) => setState({ expectedAssertionsNumber }, counting),
  hasAssertions: () => setState({ isExpectingAssertions: true }, counting),
  unreachable: (message = 'this') => chai.assert.fail(`expected ${message} not to be reached`),
});
forgetAssertions();
Reflect.set(globalThis, GLOBAL_EXPECT, expect);
extend(customMatchers);
