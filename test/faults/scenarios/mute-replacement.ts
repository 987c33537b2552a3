import { until } from '@understudy/shared/node';
import { Partition } from '../faults/partition.ts';
import { MEMBERS, PORTS } from '../lab/configuration.ts';
import type { Lab } from '../lab/lab.ts';
import { coordinatorHost, subnetOf, ZONES } from '../lab/network.ts';

const STRUCK_WITHIN_MS = 40_000;
const RULE = 'replacement';

/**
 * No coordinator hears an instance that is launched from now on, so its recovery stays in its
 * verification.
 */
export interface MutedReplacement {
  /**
   * Waits until the recovery's replacement runs and sends in vain. Returns how many datagrams were
   * dropped.
   */
  struck(opId: string): Promise<number>;
  end(): void;
}

export function muteReplacement(lab: Lab): MutedReplacement {
  const known = MEMBERS.map(({ member }) => lab.privateIp(lab.incumbent(member).instanceId));
  const match = `ip saddr { ${ZONES.map(subnetOf).join(', ')} } ip saddr != { ${known.join(', ')} } udp dport ${PORTS.heartbeat}`;
  const cut = new Partition(
    ZONES.map((zone) => ({
      namespace: coordinatorHost.name(zone),
      chain: 'input',
      match,
      verdict: 'drop',
      name: RULE,
    })),
  );
  lab.undoLater(() => cut.heal());
  cut.apply();
  const dropped = (): number => cut.counters()[RULE] ?? 0;
  return {
    struck: async (opId) => {
      await until('a replacement', () => lab.recorder.launchedFor(opId).length > 0, STRUCK_WITHIN_MS);
      return until('it speaks in vain', dropped, STRUCK_WITHIN_MS);
    },
    end: () => cut.heal(),
  };
}
