import type { CheckResult } from '../core/check-state.ts';
import type { Check } from './check.ts';

/**
 * Answer of the metadata service to one path. `absent` = 404, the usual answer where there is no
 * notice.
 */
export type MetadataAnswer =
  | { readonly kind: 'found'; readonly text: string }
  | { readonly kind: 'absent' }
  | { readonly kind: 'throttled' }
  | { readonly kind: 'unreachable'; readonly detail: string };

/** IMDSv2 (EC2 User Guide, "Use the Instance Metadata Service"). Never rejects. */
export interface MetadataSource {
  /** `path` below `/latest/meta-data/`. */
  get(path: string, signal?: AbortSignal): Promise<MetadataAnswer>;
}

export const REGION_PATH = 'placement/region';

export const METADATA_PATHS = {
  instanceId: 'instance-id',
  spot: 'spot/instance-action',
  rebalance: 'events/recommendations/rebalance',
  maintenance: 'events/maintenance/scheduled',
} as const;

export type MetadataReadings = Readonly<Record<keyof typeof METADATA_PATHS, MetadataAnswer>>;

/** Judges the worst first: another identity, no service, throttled, then what EC2 announces. */
export function judgeMetadata(readings: MetadataReadings, ownInstanceId: string): CheckResult {
  const { instanceId, spot, rebalance, maintenance } = readings;
  if (instanceId.kind === 'found' && instanceId.text.trim() !== ownInstanceId) {
    const detail = `was ${ownInstanceId}, is ${instanceId.text.trim()}`;
    return { status: 'fail', code: 'instanceIdChanged', detail };
  }
  if (instanceId.kind === 'throttled') return { status: 'warn', code: 'imdsThrottled' };
  if (instanceId.kind !== 'found') {
    const detail = instanceId.kind === 'unreachable' ? instanceId.detail : 'no instance-id';
    return { status: 'fail', code: 'imdsUnreachable', detail };
  }
  if (spot.kind === 'found') return { status: 'warn', code: 'spotNotice', detail: brief(spot.text) };
  const events = maintenance.kind === 'found' ? activeEvents(maintenance.text) : [];
  if (events.length > 0) return { status: 'warn', code: 'maintenanceScheduled', detail: brief(events.join(', ')) };
  if (rebalance.kind === 'found')
    return { status: 'warn', code: 'rebalanceRecommended', detail: brief(rebalance.text) };
  return { status: 'pass', code: 'none' };
}

const DETAIL_CHARACTERS_MAX = 200;
const brief = (text: string): string => text.trim().slice(0, DETAIL_CHARACTERS_MAX);

/**
 * `[{ NotBefore, Code, EventId, State }]`. Events that are `completed` or `canceled` are history.
 * What does not parse is no event.
 */
function activeEvents(text: string): readonly string[] {
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch {
    return [];
  }
  if (!Array.isArray(list)) return [];
  const words: string[] = [];
  for (const event of list as { Code?: unknown; NotBefore?: unknown; State?: unknown }[]) {
    if (event?.State !== undefined && event.State !== 'active') continue;
    words.push(`${String(event?.Code)} not before ${String(event?.NotBefore)}`);
  }
  return words;
}

/** Maintenance is announced days ahead, so it is asked for only in every sixth round. */
const MAINTENANCE_EVERY = 6;
/** After a throttle, rounds are skipped: first 1, doubling up to this many. */
const SKIP_ROUNDS_MAX = 32;

export function metadataCheck(
  source: MetadataSource,
  ownInstanceId: string,
  onIdentityLost: (found: string) => void,
): Check {
  let round = 0;
  let skipRounds = 0;
  let skipped = 0;
  let maintenance: MetadataAnswer = { kind: 'absent' };
  return {
    async run(signal) {
      if (skipped < skipRounds) {
        skipped++;
        return { status: 'warn', code: 'imdsThrottled', detail: `asked again in ${skipRounds - skipped + 1} rounds` };
      }
      const instanceId = await source.get(METADATA_PATHS.instanceId, signal);
      const further = instanceId.kind === 'found';
      const spot = further ? await source.get(METADATA_PATHS.spot, signal) : ABSENT;
      const rebalance = further ? await source.get(METADATA_PATHS.rebalance, signal) : ABSENT;
      if (further && round++ % MAINTENANCE_EVERY === 0) {
        maintenance = await source.get(METADATA_PATHS.maintenance, signal);
      }
      const throttled = instanceId.kind === 'throttled';
      skipRounds = throttled ? Math.min(SKIP_ROUNDS_MAX, skipRounds * 2 || 1) : 0;
      skipped = 0;
      const result = judgeMetadata({ instanceId, spot, rebalance, maintenance }, ownInstanceId);
      if (result.code === 'instanceIdChanged' && instanceId.kind === 'found') onIdentityLost(instanceId.text.trim());
      return result;
    },
  };
}

const ABSENT: MetadataAnswer = { kind: 'absent' };
