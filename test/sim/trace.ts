import type { ClusterEvent } from './cluster/cluster-event.ts';

const LINES_KEPT = 4_000;
const FNV_PRIME = 0x01000193;

/**
 * Everything that was seen from outside, as one line each: the newest are kept to be read, and all
 * of them go into one hash. Two runs with the same hash did the same things at the same moments.
 */
export class Trace {
  readonly #lines: string[] = [];
  readonly #print: ((line: string) => void) | null;
  #high = 0x811c9dc5;
  #low = 0xc9dc5118;

  constructor(print: ((line: string) => void) | null = null) {
    this.#print = print;
  }

  onClusterEvent(clusterEvent: ClusterEvent, nowMs: number): void {
    const line = `${nowMs.toFixed(3)} ${lineOf(clusterEvent)}`;
    this.#mix(line);
    if (clusterEvent.kind === 'commit')
      for (const write of clusterEvent.commit.txn.writes) if (write.kind === 'put') this.#mix(write.value);
    this.#print?.(line);
    this.#lines.push(line);
    if (this.#lines.length > 2 * LINES_KEPT) this.#lines.splice(0, LINES_KEPT);
  }

  #mix(line: string): void {
    for (let at = 0; at < line.length; at += 1) {
      const code = line.charCodeAt(at);
      this.#high = Math.imul(this.#high ^ code, FNV_PRIME);
      this.#low = Math.imul(this.#low ^ (code + at), FNV_PRIME);
    }
  }

  /** 64 bits, hex. */
  get hash(): string {
    return [this.#high, this.#low].map((half) => (half >>> 0).toString(16).padStart(8, '0')).join('');
  }

  last(count: number): readonly string[] {
    return this.#lines.slice(-count);
  }
}

function lineOf(clusterEvent: ClusterEvent): string {
  switch (clusterEvent.kind) {
    case 'commit': {
      const { client, txn, revision } = clusterEvent.commit;
      const writes = txn.writes.map(
        (write) => `${write.kind} ${write.kind === 'deletePrefix' ? write.prefix : write.key}`,
      );
      return `etcd ${revision} ${client ?? 'operator'}: ${writes.join('; ')}`;
    }
    case 'cloud': {
      const { event } = clusterEvent;
      if (event.kind === 'call')
        return `ec2 ${event.action} ${event.outcome}${event.executed ? '' : ' (not executed)'}`;
      return `ec2 ${event.resourceId} ${event.from ?? '-'} → ${event.to ?? '-'}`;
    }
    case 'serving':
      return `${clusterEvent.member} ${clusterEvent.instanceId} ${clusterEvent.serving ? 'serves' : 'serves no more'}`;
    case 'opinion-sent':
      return `${clusterEvent.coordinatorId} thinks ${clusterEvent.member} ${clusterEvent.verdict}`;
    case 'hook':
      return `hook ${clusterEvent.id} ${clusterEvent.what}`;
    case 'key-given':
      return `key of ${clusterEvent.member} given ${clusterEvent.repeated ? 'again ' : ''}to ${clusterEvent.holder}`;
    case 'script':
      return `${clusterEvent.who} script ${clusterEvent.id} ${clusterEvent.what}`;
    case 'crawl':
      return `${clusterEvent.who} crawled ${clusterEvent.of} in term ${clusterEvent.term}`;
    case 'reset':
      return `${clusterEvent.instanceId} reset by its watchdog`;
    case 'log':
      return `${clusterEvent.who} ${clusterEvent.level} ${clusterEvent.event}`;
    case 'process':
      return `${clusterEvent.who} ${clusterEvent.what}`;
    case 'fault':
      return `fault ${clusterEvent.id} ${clusterEvent.what}`;
    case 'fatal':
      return `${clusterEvent.coordinatorId} FATAL ${String(clusterEvent.error)}`;
  }
}
