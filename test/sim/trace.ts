import type { Happening } from './cluster/happening.ts';

const LINES_KEPT = 4_000;
const FNV_PRIME = 0x01000193;

/**
 * Everything that was seen from outside, as one line each: the newest are kept to be read, and all of them go into one hash. Two runs with the same hash did
 * the same things at the same moments.
 */
export class Trace {
  readonly #lines: string[] = [];
  readonly #print: ((line: string) => void) | null;
  #high = 0x811c9dc5;
  #low = 0xc9dc5118;

  constructor(print: ((line: string) => void) | null = null) {
    this.#print = print;
  }

  witness(happening: Happening, nowMs: number): void {
    const line = `${nowMs.toFixed(3)} ${lineOf(happening)}`;
    this.#mix(line);
    if (happening.kind === 'commit')
      for (const write of happening.commit.txn.writes) if (write.kind === 'put') this.#mix(write.value);
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

function lineOf(happening: Happening): string {
  switch (happening.kind) {
    case 'commit': {
      const { client, txn, revision } = happening.commit;
      const writes = txn.writes.map(
        (write) => `${write.kind} ${write.kind === 'deletePrefix' ? write.prefix : write.key}`,
      );
      return `etcd ${revision} ${client ?? 'operator'}: ${writes.join('; ')}`;
    }
    case 'cloud': {
      const { event } = happening;
      if (event.kind === 'call')
        return `ec2 ${event.action} ${event.outcome}${event.executed ? '' : ' (not executed)'}`;
      return `ec2 ${event.resourceId} ${event.from ?? '-'} → ${event.to ?? '-'}`;
    }
    case 'serving':
      return `${happening.member} ${happening.instanceId} ${happening.serving ? 'serves' : 'serves no more'}`;
    case 'opinion-sent':
      return `${happening.coordinatorId} thinks ${happening.member} ${happening.verdict}`;
    case 'reset':
      return `${happening.instanceId} reset by its watchdog`;
    case 'log':
      return `${happening.who} ${happening.level} ${happening.event}`;
    case 'process':
      return `${happening.who} ${happening.what}`;
    case 'fault':
      return `fault ${happening.id} ${happening.what}`;
    case 'fatal':
      return `${happening.coordinatorId} FATAL ${String(happening.error)}`;
  }
}
