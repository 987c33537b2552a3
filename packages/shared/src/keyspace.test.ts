import { describe, expect, it } from 'vitest';
import { KEY_ROOT, type Keyspace, keyspace } from './keyspace.ts';

const one = 'orders/db-1' as const;
const two = 'orders/db-10' as const;

/** Every key with the area (prefix) it has to be found under. */
const placed = (keys: Keyspace): readonly (readonly [string, string])[] => [
  [keys.coordinators, keys.coordinator('c1')],
  [keys.opinions, keys.opinion(one, 'c1')],
  [keys.groups, keys.group('orders')],
  [keys.members, keys.member(one)],
  [keys.activations, keys.activation(one)],
  [keys.intents, keys.intent(one)],
  [keys.journal, keys.journalOf('op-1')],
  [keys.journalOf('op-1'), keys.journalStep('op-1', 'launch-1')],
  [keys.holds, keys.hold(one)],
  [keys.pauses, keys.pause('member/orders/db-1')],
  [keys.history, keys.historyOf(one)],
  [keys.historyOf(one), keys.historyEntry(one, 'op-1')],
];

describe('the keyspace', () => {
  it('keeps its layout: written down, another version would not find its records', () => {
    const keys = keyspace();
    expect(KEY_ROOT).toBe('/understudy/v1/');
    expect([keys.leader, keys.coordinator('c1'), keys.activation(one), keys.intent(one)]).toEqual([
      '/understudy/v1/leader',
      '/understudy/v1/coordinators/c1',
      '/understudy/v1/activations/orders/db-1',
      '/understudy/v1/intents/orders/db-1',
    ]);
    expect([
      keys.opinion(one, 'c1'),
      keys.journalStep('op-1', 'fence'),
      keys.pause('global'),
      keys.historyEntry(one, 'op-1'),
    ]).toEqual([
      '/understudy/v1/opinions/orders/db-1/c1',
      '/understudy/v1/journal/op-1/fence',
      '/understudy/v1/pauses/global',
      '/understudy/v1/history/orders/db-1/op-1',
    ]);
  });

  it('puts every key under its area, and every area under the root', () => {
    for (const root of [KEY_ROOT, '/test-7/']) {
      for (const [area, key] of placed(keyspace(root))) {
        expect(area.startsWith(root)).toBe(true);
        expect(key.startsWith(area), key).toBe(true);
        expect(key.length).toBeGreaterThan(area.length);
      }
    }
  });

  it('has no area that is a prefix of another', () => {
    const keys = keyspace();
    const areas = [
      keys.leader,
      ...Object.values(keys).filter(
        (value): value is string => typeof value === 'string' && value.endsWith('/') && value !== keys.root,
      ),
    ];
    for (const area of areas) expect(areas.filter((other) => other.startsWith(area))).toEqual([area]);
  });

  it("does not find one member's records under another's prefix", () => {
    const keys = keyspace();
    expect(keys.historyEntry(two, 'op-1').startsWith(keys.historyOf(one))).toBe(false);
    expect(keys.journalStep('op-10', 'fence').startsWith(keys.journalOf('op-1'))).toBe(false);
  });
});
