import { probeName } from '@understudy/shared';
import { currentAttempt } from '../core/step-table.ts';
import type { Run } from '../run.ts';
import { PERMIT } from './attempt-records.ts';

/** Between two rounds of looks. */
const EVERY_MS = 1_000;

/**
 * Whether the services of an instance, usually the replacement, pass at its own private address, as
 * the leader sees them.
 * Looks only, and decides nothing: a service that does not come up is said, and the ordinary watch
 * takes over.
 */
export class ServiceLook {
  readonly #run: Run;
  readonly #address: (run: Run) => string | null;
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  #fault: string | null = null;

  constructor(run: Run, address: (run: Run) => string | null = replacementAddress) {
    this.#run = run;
    this.#address = address;
  }

  /**
   * What does not pass, in words, from a look no older than a second; null: everything does, or
   * there is nothing to look at or with.
   */
  async fault(): Promise<string | null> {
    const run = this.#run;
    const { probeService } = run.parts;
    const address = this.#address(run);
    if (!probeService || address === null) return null;
    if (run.nowMs() - this.#lookedAtMs < EVERY_MS) return this.#fault;
    const looks = await Promise.all(
      run.policy.detect.serviceProbes.map(async (probe) => {
        const { code } = await probeService(probe, { address, port: probe.port }, probe.timeoutMs, run.signal);
        return code === 'Passing' ? null : `${probeName(probe)}: ${code}`;
      }),
    );
    this.#lookedAtMs = run.nowMs();
    this.#fault = looks.filter((text) => text !== null).join('; ') || null;
    return this.#fault;
  }
}

function replacementAddress({ journal }: Run): string | null {
  const permit = journal.get(PERMIT, currentAttempt(journal.states()))?.result;
  return permit && 'privateIp' in permit ? permit.privateIp : null;
}
