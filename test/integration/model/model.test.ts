import { beforeAll, describe, expect, it } from 'vitest';
import { type Configuration, CONFIGURATIONS } from '../../model/configurations.ts';
import { search, type SearchResult, TEST_BOUNDS } from '../../model/search.ts';
import { searchAll } from '../../model/search-all.ts';
import { missingTools } from '../../model/tools.ts';

/**
 * Every configuration of the model gives what it is expected to give. The negative ones matter as
 * much as the others: one that stops finding its counterexample means that the model has gone
 * blind, or that a rule is not needed.
 */

const missing = missingTools();
const CHOSEN = CONFIGURATIONS.filter((configuration) => configuration.deep !== true);
/** All searches together, on a busy machine. */
const ALL_LIMIT_MS = 1_200_000;

describe('the list of configurations', () => {
  it('has names of its own, and one property wherever a counterexample is expected', () => {
    expect(new Set(CONFIGURATIONS.map(({ name }) => name)).size).toBe(CONFIGURATIONS.length);
    const vague = CONFIGURATIONS.filter(
      ({ expected, properties }) => expected === 'counterexample' && properties.length !== 1,
    );
    expect(vague).toEqual([]);
  });

  it('removes every rule that the protocol is said to need', () => {
    const removed = new Set(CHOSEN.filter(({ name }) => name.includes('without-')).flatMap(({ rules }) => rules));
    expect([...removed]).toEqual(
      expect.arrayContaining(['S2', 'S4', 'S5', 'S6', 'S7', 'S8', 'S9', 'S12', 'S14', 'S20']),
    );
  });
});

describe.skipIf(missing !== null)(missing === null ? 'the model' : `the model: skipped: ${missing}`, () => {
  const outcomes = new Map<string, SearchResult | Error>();

  beforeAll(
    () => searchAll(CHOSEN, TEST_BOUNDS, (configuration, outcome) => outcomes.set(configuration.name, outcome)),
    ALL_LIMIT_MS,
  );

  it.each(CHOSEN.map((configuration) => [configuration.name, configuration.expected, configuration] as const))(
    '%s: %s',
    (name, expected) => {
      const outcome = outcomes.get(name);
      if (outcome === undefined || outcome instanceof Error) throw outcome ?? new Error('it was never searched');
      expect(outcome.found).toEqual({ kind: expected });
      expect(outcome.report.states).toBeGreaterThan(0);
    },
  );

  it('takes a search that was cut short for no proof', async () => {
    const [first] = CHOSEN;
    if (first === undefined) throw new Error('there is no configuration');
    const starved: Configuration = { ...first, name: 'starved' };
    const { found } = await search(starved, { ...TEST_BOUNDS, memoryMiB: 1 });
    expect(found.kind).toBe('nothing');
  });
});

if (missing !== null) console.warn(`the model was not searched: skipped: ${missing}`);
