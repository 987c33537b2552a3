import { type HistoryRecord, type MemberId, problemOf } from '@understudy/shared';
import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, test } from 'vitest';
import { EventCounts } from '../hints/event-counts.ts';
import { CrawlCounts } from '../inventory/inventory-keeping.ts';
import { Metrics, type MetricsSources } from './metrics.ts';

/** What a scrape reads, for a test to change between two of them. */
interface State {
  readonly leads: boolean;
  readonly fresh: boolean;
  readonly contactAgeMs: number | null;
  readonly standing: { readonly standing: string; readonly ageMs: number | null };
  readonly kernelDrops: number | null;
  readonly heartbeats: number;
  readonly holds: readonly string[];
}

const numbered = <T>(values: readonly T[]) => new Map(values.map((record, at) => [`g/m${at}`, { record }]));
const history = new Map([
  [
    'g/m1',
    new Map([
      ['op-1', { record: { leftovers: [{ kind: 'volume', obstacle: null }], owed: [{ obstacle: { code: 'x' } }] } }],
    ]),
  ],
]);

/** Reads `now()` whenever it is read itself. */
function sourcesOf(now: () => State, withServer = true): MetricsSources {
  const opinions = ['alive', 'alive', 'suspect'].map((verdict) => ({ verdict }));
  const sources = {
    leadership: { current: () => (now().leads ? { number: 7, remainingMs: () => 6_500 } : null) },
    view: {
      onChange: (listener: (changed: readonly string[]) => void) => changes.push(listener),
      pausesInForce: () => [{ scope: 'group/g' }],
      pausesOf: (member: MemberId) => (member === 'g/m0' ? [{}] : []),
      isFresh: () => now().fresh,
      contactAgeMs: () => now().contactAgeMs,
      anomalies: 0,
      featureLevels: () => ({ understood: 1, agreed: null, inForce: 1 }),
      get records() {
        const holds = numbered(now().holds.map((reason) => ({ reason })));
        return {
          unreadable: new Map(),
          members: new Map([...numbered([{}, {}]), ['h/m0', { record: {} }]]),
          intents: numbered([{}]),
          requests: numbered([{}, {}, {}]),
          ...{ holds, history, outbox: numbered([{}, {}]), undelivered: numbered([{}]) },
          deeds: numbered([{ kept: [{}, {}] }]),
        };
      },
    },
    store: { refusedCounts: new Map([['STORE_DENIED', 2]]) },
    writes: { alarms: ['CORRUPT'] },
    isWritable: () => true,
    observer: {
      abstention: null,
      get counts() {
        return { recorded: now().heartbeats, forged: 3, replayed: 0 };
      },
      opinions: () => opinions,
    },
    listener: { stats: () => ({ kernelDropsCount: now().kernelDrops, ringDropsCount: 0 }) },
    prober: { counts: new Map([['Passing', 3]]) },
    keyRotation: { problem: null },
    presence: { duplicate: problemOf('STORE_REJECTED', 'another process has our id') },
    receiveBufferBytes: withServer ? 4_194_304 : null,
    verdicts: {
      standing: () => now().standing,
      of: (member: MemberId) => ({ verdict: member === 'g/m1' ? 'dead' : 'alive' }),
    },
    runs: { runningCount: 1 },
    version: '1.2.3',
    outbox: { dropped: 4 },
    wallMs: () => 1_000,
    problems: () => [problemOf('NO_LEADER', 'nobody leads'), problemOf('NO_LEADER', 'still nobody')],
    commands: () => new Map([['done', 3]]),
    readiness: () => (now().leads ? [READY, BLOCKED] : null),
    preparations: () => ({ used: 2, dropped: 1, failed: 0 }),
    makings: () => ({
      counts: { begun: 4, taken: 2, dropped: 1, limited: 3 },
      present: { open: 1, dropped: 0 },
      spent: new Map([['db', 0.25]]),
    }),
    rates: () => [{ action: 'RunInstances', tokens: 3, waiting: 2, longestWaitMs: 1_500, throttled: 4, pace: 0.5 }],
    foreignAnswers: () => new Map([['RunInstances', 1]]),
    connections: withServer ? () => ({ open: 3, evicted: 7, refused: 2 }) : null,
    inventory: withServer ? INVENTORY : null,
    enrolments: () => new Map([['given', 2]]),
    events: new EventCounts(),
  };
  return sources as unknown as MetricsSources;
}

const READY = {
  ...{ member: 'g/m0', verdict: 'ready', rtoMs: 90_000, rpoMs: 0, rpoDisksLostMs: null, blockers: [], missed: [] },
};
const BLOCKED = {
  ...{ member: 'g/m1', verdict: 'blocked', rtoMs: 400_000, rpoMs: 5_000, rpoDisksLostMs: 3_600_000 },
  ...{ blockers: [{ kind: 'permission' }, { kind: 'permission' }], missed: [{ objective: 'rtoMs' }] },
};
const INVENTORY = new CrawlCounts();
INVENTORY.crawled('partial');
INVENTORY.wrote('gone', 5);
INVENTORY.lastRoundMs = 42_000;

/** Whoever wants to know of changes of the view. */
let changes: ((changed: readonly string[]) => void)[] = [];
let now: State;
let metrics: Metrics;
beforeEach(() => {
  changes = [];
  now = {
    ...{ leads: true, fresh: true, contactAgeMs: 250, kernelDrops: 0, heartbeats: 1_234 },
    standing: { standing: 'current', ageMs: 500 },
    holds: ['Paused', 'Paused', 'Cooldown'],
  };
  metrics = new Metrics({ withProcess: false });
  metrics.cloudCall('RunInstances', 'ok', 120);
  metrics.noticeTried('pager', 'taken');
});

describe('a scrape', () => {
  test('has seconds, labels and counter types as documented, and twice the same', async () => {
    metrics.show(sourcesOf(() => now));
    const first = await metrics.text();
    for (const line of [
      'understudy_leader 1',
      'understudy_term 7',
      'understudy_term_remaining_seconds 6.5',
      'understudy_store_contact_age_seconds 0.25',
      'understudy_store_writable 1',
      'understudy_feature_level{which="understood"} 1',
      `understudy_build_info{version="1.2.3",node="${process.version}",feature_level="1"} 1`,
      'understudy_store_refusals_total{code="STORE_DENIED"} 2',
      'understudy_ec2_rate_waiting{action="RunInstances"} 2',
      'understudy_ec2_rate_longest_wait_seconds{action="RunInstances"} 1.5',
      'understudy_ec2_rate_pace{action="RunInstances"} 0.5',
      'understudy_ec2_throttled_total{action="RunInstances"} 4',
      'understudy_preparations_total{outcome="used"} 2',
      'understudy_prepared_total{outcome="taken"} 2',
      'understudy_prepared_total{outcome="limited"} 3',
      'understudy_prepared_open 1',
      'understudy_prepared_spent{group="db"} 0.25',
      'understudy_store_alarms{alarm="NOSPACE"} 0',
      'understudy_store_alarms{alarm="CORRUPT"} 1',
      'understudy_id_taken 1',
      'understudy_keys_refused 0',
      'understudy_observer_abstains 0',
      'understudy_members{group="g",verdict="alive"} 1',
      'understudy_members{group="g",verdict="dead"} 1',
      'understudy_members{group="h",verdict="dead"} 0',
      'understudy_members{group="h",verdict="alive"} 1',
      'understudy_paused 0',
      'understudy_members_paused{group="g"} 1',
      'understudy_members_paused{group="h"} 0',
      'understudy_problems{code="NO_LEADER"} 2',
      'understudy_observer_opinions{verdict="alive"} 2',
      'understudy_observer_opinions{verdict="dead"} 0',
      'understudy_judgement_age_seconds 0.5',
      'understudy_holds{group="g",reason="Paused"} 2',
      'understudy_holds{group="g",reason="Cooldown"} 1',
      'understudy_readiness_members{group="g",verdict="ready"} 1',
      'understudy_readiness_members{group="g",verdict="unknown"} 0',
      'understudy_readiness_rto_seconds{group="g"} 400',
      'understudy_readiness_rpo_seconds{group="g"} 5',
      'understudy_readiness_rpo_disks_lost_seconds{group="g"} 3600',
      'understudy_readiness_blockers{group="g",kind="permission"} 2',
      'understudy_readiness_objectives_missed{group="g",objective="rtoMs"} 1',
      'understudy_leftovers{kind="volume"} 1',
      'understudy_leftovers{kind="chore"} 1',
      'understudy_leftovers_obstructed 1',
      'understudy_recoveries_open{group="g"} 1',
      'understudy_recoveries_open{group="h"} 0',
      'understudy_recoveries_running 1',
      'understudy_operator_requests_pending 3',
      'understudy_notices_waiting 2',
      'understudy_notices_undelivered 1',
      'understudy_event_deeds_waiting 2',
      'understudy_notices_dropped_total 4',
      'understudy_notices_sent_total{webhook="pager",outcome="taken"} 1',
      'understudy_inventory_crawls_total{outcome="partial"} 1',
      'understudy_inventory_versions_total{change="gone"} 5',
      'understudy_inventory_round_seconds 42',
      'understudy_http_connections 3',
      'understudy_http_connections_closed_total{how="evicted"} 7',
      'understudy_http_connections_closed_total{how="refused"} 2',
      'understudy_udp_receive_buffer_bytes 4194304',
      '# TYPE understudy_heartbeats_received_total counter',
      'understudy_heartbeats_received_total 1234',
      'understudy_datagrams_dropped_total{reason="forged"} 3',
      'understudy_kernel_datagrams_dropped_total 0',
      'understudy_ec2_calls_total{action="RunInstances",outcome="ok"} 1',
      'understudy_ec2_foreign_answers_total{action="RunInstances"} 1',
    ])
      expect(first.split('\n')).toContain(line);
    expect(await metrics.text()).toBe(first);
  });

  test('shows what is so then, and nothing that was so before', async () => {
    metrics.show(sourcesOf(() => now));
    await metrics.text();
    now = {
      ...{ leads: false, fresh: false, contactAgeMs: null, kernelDrops: null, heartbeats: 1_300, holds: ['Cooldown'] },
      standing: { standing: 'none', ageMs: null },
    };
    const lines = (await metrics.text()).split('\n');
    expect(lines).toEqual(
      expect.arrayContaining([
        'understudy_leader 0',
        'understudy_store_fresh 0',
        'understudy_holds{group="g",reason="Cooldown"} 1',
        'understudy_heartbeats_received_total 1300',
      ]),
    );
    const starts = (prefix: string) => lines.filter((line) => line.startsWith(prefix));
    // What is not known has no value: a number that means something else would be averaged.
    for (const unknown of [
      'term',
      'term_remaining',
      'store_contact_age',
      'judgement_age',
      'feature_level{which="agreed"',
    ])
      expect(starts(`understudy_${unknown}`)).toEqual([]);
    expect(starts('understudy_members{')).toEqual([]);
    expect(starts('understudy_holds{')).toHaveLength(1);
    expect(starts('understudy_kernel_datagrams_dropped_total')).toEqual([]);
  });
});

describe('names', () => {
  const named = (text: string) => [...new Set(text.match(/\bunderstudy_[a-z0-9_]+/g) ?? [])].sort();
  const page = readFileSync(new URL('../../../../docs/coordinator.md', import.meta.url), 'utf8');
  const table = page
    .slice(page.indexOf('## Metrics'), page.indexOf('\n## ', page.indexOf('## Metrics') + 1))
    .split('\n')
    .filter((line) => line.startsWith('| `understudy_'))
    .map((line) => line.split('|')[1] ?? '')
    .join(' ');

  test('are those of the page, each with a help text', async () => {
    metrics.show(sourcesOf(() => now));
    const helps = (await metrics.text()).split('\n').filter((line) => line.startsWith('# HELP '));
    const declared = helps.map((line) => line.split(' ')[2] ?? '').sort();
    expect(declared).toEqual(named(table));
    expect(helps.filter((line) => line.split(' ').length < 5)).toEqual([]);
  });

  test('of a server and a socket that are not there are left out', async () => {
    metrics.show(sourcesOf(() => now, false));
    const text = await metrics.text();
    expect(text).not.toContain('understudy_http_connections');
    expect(text).not.toContain('understudy_inventory');
    expect(text).not.toContain('understudy_udp_receive_buffer_bytes');
  });
});

describe('recoveries that ended', () => {
  const ended = (opId: string, outcome: HistoryRecord['outcome'], seconds: number) => ({
    record: {
      opId,
      outcome,
      startedAtWallMs: 10_000,
      endedAtWallMs: 10_000 + seconds * 1_000,
      leftovers: [],
      owed: [],
    },
  });
  const seconds = async () =>
    (await metrics.text()).split('\n').filter((line) => /^understudy_recovery_duration_seconds_(count|sum)/.test(line));

  test('are counted once each, with their duration, and not if they had ended before this process began', async () => {
    const sources = sourcesOf(() => now);
    const entries = new Map([['op-1', ended('op-1', 'replaced', 999)]]);
    Object.defineProperty(sources.view, 'records', {
      value: { ...sources.view.records, history: new Map([['g/m1', entries]]) },
    });
    metrics.show(sources);
    const changed = (...keys: string[]) => changes.forEach((listener) => listener(keys));
    changed('/u/v1/history/g/m1/op-1', '/u/v1/members/g/m1');
    const none = ['g', 'h'].flatMap((group) =>
      ['replaced', 'mended', 'not-mended', 'abandoned', 'undone'].flatMap((outcome) =>
        ['sum', 'count'].map(
          (of) => `understudy_recovery_duration_seconds_${of}{group="${group}",outcome="${outcome}"} 0`,
        ),
      ),
    );
    expect(await seconds()).toEqual(none);
    entries.set('op-2', ended('op-2', 'replaced', 40));
    entries.set('op-3', ended('op-3', 'abandoned', 7));
    changed('/u/v1/history/g/m1/op-2');
    changed('/u/v1/history/g/m1/op-2', '/u/v1/holds/g/m1');
    entries.delete('op-1');
    changed('/u/v1/history/g/m1/op-1');
    expect(await seconds()).toEqual([
      'understudy_recovery_duration_seconds_sum{group="g",outcome="replaced"} 40',
      'understudy_recovery_duration_seconds_count{group="g",outcome="replaced"} 1',
      ...none.slice(2, 6),
      'understudy_recovery_duration_seconds_sum{group="g",outcome="abandoned"} 7',
      'understudy_recovery_duration_seconds_count{group="g",outcome="abandoned"} 1',
      ...none.slice(8),
    ]);
  });

  test('show what they were to take, divided by what they took; those that were not predicted are left out', async () => {
    const sources = sourcesOf(() => now);
    const entries = new Map<string, ReturnType<typeof ended>>();
    Object.defineProperty(sources.view, 'records', {
      value: { ...sources.view.records, history: new Map([['g/m1', entries]]) },
    });
    metrics.show(sources);
    const changed = () => changes.forEach((listener) => listener(['/u/v1/history/g/m1/op-2']));
    changed();
    const { record } = ended('op-2', 'replaced', 40);
    entries.set('op-2', { record: { ...record, predictedMs: 20_000 } as never });
    entries.set('op-3', ended('op-3', 'replaced', 7));
    changed();
    const shown = (await metrics.text())
      .split('\n')
      .filter((line) => /^understudy_recovery_predicted_ratio_(count|sum)/.test(line));
    expect(shown).toEqual([
      'understudy_recovery_predicted_ratio_sum{group="g"} 0.5',
      'understudy_recovery_predicted_ratio_count{group="g"} 1',
    ]);
  });
});
