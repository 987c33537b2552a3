import type { ListenerStats, ObserverTable } from '@understudy/observer';
import type { Problem } from '@understudy/shared';
import { countBy, type ReadAtScrape } from './read-at-scrape.ts';

export interface ObserverMetricsSources {
  readonly observer: Pick<ObserverTable, 'abstention' | 'counts' | 'opinions'>;
  readonly listener: { stats(): Pick<ListenerStats, 'kernelDropsCount' | 'ringDropsCount'> };
  readonly prober: { readonly counts: ReadonlyMap<string, number> };
  readonly keyRotation: { readonly problem: Problem | null };
  readonly presence: { readonly duplicate: Problem | null };
  /** Granted by the kernel, each socket; null where there is no real one. */
  readonly receiveBufferBytes: number | null;
}

/** What this coordinator hears by itself. */
export function observerMetrics(declare: ReadAtScrape, sources: ObserverMetricsSources): void {
  const { observer, prober, keyRotation, presence } = sources;
  declare.flag(
    'understudy_observer_abstains',
    'Whether the observer has no opinions at present (0 or 1)',
    () => observer.abstention !== null,
  );
  declare.flag(
    'understudy_keys_refused',
    'Whether the master secrets in our files are not the ones we use (0 or 1)',
    () => keyRotation.problem !== null,
  );
  declare.flag(
    'understudy_id_taken',
    'Whether another process has the id of this coordinator, so that its opinions do not count (0 or 1)',
    () => presence.duplicate !== null,
  );
  declare.gauges(
    'understudy_observer_opinions',
    "Watched members by this coordinator's own opinion; no verdict",
    'verdict',
    () => new Map([...NOBODY, ...countBy(observer.opinions().map((one) => one.verdict))]),
  );
  declare.totals('understudy_service_probes_total', 'Looks at services, by outcome', 'outcome', () => prober.counts);
  datagramMetrics(declare, sources);
}

/** Each verdict is shown, also where nobody has it. */
const NOBODY = (['alive', 'suspect', 'dead', 'unknown', 'left'] as const).map((verdict) => [verdict, 0] as const);

function datagramMetrics(
  declare: ReadAtScrape,
  { observer, listener, receiveBufferBytes }: ObserverMetricsSources,
): void {
  declare.total(
    'understudy_heartbeats_received_total',
    'Authenticated, fresh heartbeats',
    () => observer.counts.recorded,
  );
  declare.totals('understudy_datagrams_dropped_total', 'Datagrams dropped, by reason', 'reason', () => {
    const { recorded: _, ...dropped } = observer.counts;
    return Object.entries(dropped);
  });
  declare.total(
    'understudy_kernel_datagrams_dropped_total',
    'Datagrams the kernel dropped because the receive buffer was full',
    () => listener.stats().kernelDropsCount,
  );
  declare.total(
    'understudy_ring_datagrams_dropped_total',
    'Datagrams dropped because the main thread did not take them in time',
    () => listener.stats().ringDropsCount,
  );
  if (receiveBufferBytes !== null)
    declare.gauge(
      'understudy_udp_receive_buffer_bytes',
      'Receive buffer the kernel granted to each heartbeat socket',
      () => receiveBufferBytes,
    );
}
