import {
  type Clock,
  type DnsRecords,
  type DnsRecordSet,
  errorText,
  type GroupPolicy,
  isOperationError,
  type Log,
  type MonotonicMs,
  OperationError,
  type TargetGroups,
} from '@understudy/shared';
import type { Finding } from '../core/finding.ts';
import { NAMED_BY_NOTHING, type NamedBy } from '../core/named-by.ts';

/** What was read is read again after so long. A step looks again before it changes anything. */
const ZONE_KEPT_MS = 60_000;
/** Nobody can ask for the groups of one instance, so all of them are looked at, at leisure. */
const GROUPS_KEPT_MS = 300_000;
/** Whoever plans for a new instance at the same time shares a look. */
const NEW_KEPT_MS = 5_000;
/** While nothing can be read, what was known this long ago is better than nothing. */
const STALE_MS = 86_400_000;
/**
 * A recovery waits so long for a look: its service may throttle, and its calls wait for their turn.
 * What was known before is taken soon; where nothing was, more is lost by not waiting.
 */
const KNOWN_WAIT_MS = 5_000;
const UNKNOWN_WAIT_MS = 60_000;
/** Between the calls of one round over all target groups. */
const PACE_MS = 100;
const ASKED_MAX = 200;

type Group = NamedBy['groups'][number];

interface Known<T> {
  readonly value: T;
  readonly readAtMs: MonotonicMs;
}

interface Asked {
  known: Known<unknown> | null;
  running: Promise<unknown> | null;
}

export interface NameLooksOptions {
  /** null: records are not looked at. */
  readonly dns: DnsRecords | null;
  readonly targetGroups: TargetGroups | null;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Looks at what names members in DNS and load balancers. It never fails: a recovery does not wait
 * for services that it does not need, and what could not be read stands in the plan. One per
 * process; thousand members that ask share one look.
 */
export class NameLooks {
  readonly #options: NameLooksOptions;
  readonly #asked = new Map<string, Asked>();

  constructor(options: NameLooksOptions) {
    this.#options = options;
  }

  /**
   * `isNew`: the instance came up a short while ago, so an older look knows its predecessor.
   */
  async look({ dns, targetGroups }: GroupPolicy['identity'], isNew = false): Promise<NamedBy> {
    const zones = this.#options.dns === null ? [] : dns.zones;
    const wanted = this.#options.targetGroups === null ? [] : targetGroups.groups;
    if (zones.length === 0 && wanted.length === 0) return NAMED_BY_NOTHING;
    const unread: Finding[] = [];
    const records: NamedBy['records'][number][] = [];
    for (const zone of zones) {
      const found = await this.#records(zone, unread, isNew);
      records.push(...found.map((record) => ({ zoneId: zone.zoneId, record })));
    }
    return { records, groups: wanted.length === 0 ? [] : await this.#groups(wanted, unread, isNew), unread };
  }

  async #records(
    { zoneId, names }: GroupPolicy['identity']['dns']['zones'][number],
    unread: Finding[],
    isNew: boolean,
  ): Promise<readonly DnsRecordSet[]> {
    const { dns } = this.#options;
    if (dns === null) return [];
    const ask = async (): Promise<readonly DnsRecordSet[]> => {
      if (!names) return dns.describeZone(zoneId);
      const found: DnsRecordSet[] = [];
      for (const name of names) found.push(...(await dns.describeRecords(zoneId, { name, type: 'A' })));
      return found;
    };
    const code = 'RecordsUnread';
    const what = `the records of the hosted zone ${zoneId}`;
    return (
      (await this.#kept(`zone ${zoneId} ${names?.join(' ') ?? ''}`, isNew ? NEW_KEPT_MS : ZONE_KEPT_MS, ask, {
        code,
        what,
        unread,
      })) ?? []
    );
  }

  async #groups(
    wanted: GroupPolicy['identity']['targetGroups']['groups'],
    unread: Finding[],
    isNew: boolean,
  ): Promise<readonly Group[]> {
    const { targetGroups } = this.#options;
    if (targetGroups === null) return [];
    const arns = wanted === 'discover' ? null : wanted;
    const ask = () => this.#allGroups(targetGroups, arns);
    const code = 'TargetGroupsUnread';
    const what = arns === null ? 'the target groups of the Region' : 'the target groups of the policy';
    const keptMs = isNew ? NEW_KEPT_MS : GROUPS_KEPT_MS;
    return (await this.#kept(`groups ${arns?.join(' ') ?? ''}`, keptMs, ask, { code, what, unread })) ?? [];
  }

  async #allGroups(targetGroups: TargetGroups, arns: readonly string[] | null): Promise<readonly Group[]> {
    const groups = await targetGroups.describeGroups(arns);
    const balancers = [...new Set(groups.flatMap((one) => one.loadBalancerArns))];
    const zonesOf = await targetGroups.describeBalancerZones(balancers);
    const found: Group[] = [];
    for (const group of groups) {
      if (found.length > 0) await this.#options.clock.sleep(PACE_MS);
      const targets = await targetGroups.describeTargets(group.arn);
      const zones = group.loadBalancerArns.flatMap((arn) => zonesOf.get(arn) ?? []);
      found.push({ group, targets, zones: group.loadBalancerArns.length === 0 ? null : [...new Set(zones)] });
    }
    return found;
  }

  /** What was read lately, or is read now; one look at a time. null: it could not be read. */
  async #kept<T>(
    key: string,
    keptMs: number,
    ask: () => Promise<T>,
    told: { readonly code: string; readonly what: string; readonly unread: Finding[] },
  ): Promise<T | null> {
    const asked = this.#asked.get(key) ?? { known: null, running: null };
    if (this.#asked.size >= ASKED_MAX) this.#asked.clear();
    this.#asked.set(key, asked);
    const known = asked.known as Known<T> | null;
    if (known && this.#ageMs(known) < keptMs) return known.value;
    const readAtMs = this.#options.clock.monotonicMs();
    asked.running ??= ask()
      .then((value) => {
        asked.known = { value, readAtMs };
        return value;
      })
      .finally(() => (asked.running = null));
    const isKnown = known !== null && this.#ageMs(known) < STALE_MS;
    try {
      return (await this.#within(asked.running, isKnown ? KNOWN_WAIT_MS : UNKNOWN_WAIT_MS)) as T;
    } catch (error) {
      if (!isOperationError(error)) throw error;
      this.#options.log.warn('recovery.names.unread', { what: told.what, error: errorText(error) });
      if (known && this.#ageMs(known) < STALE_MS) return known.value;
      const text = `${told.what} could not be read, so none of them follows: ${errorText(error)}`;
      told.unread.push({ code: told.code, text });
      return null;
    }
  }

  /** The work goes on, and what it finds is known to the next one who asks. */
  async #within(work: Promise<unknown>, limitMs: number): Promise<unknown> {
    const done = new AbortController();
    const tooLate = this.#options.clock.sleep(limitMs, done.signal).then(() => {
      throw new OperationError('CLOUD_UNAVAILABLE', `no answer within ${limitMs / 1_000} s`);
    });
    work.catch(() => undefined);
    tooLate.catch(() => undefined);
    try {
      return await Promise.race([work, tooLate]);
    } finally {
      done.abort();
    }
  }

  #ageMs({ readAtMs }: Known<unknown>): number {
    return this.#options.clock.monotonicMs() - readAtMs;
  }
}
