import { Partition } from '../faults/partition.ts';
import { PORTS } from '../lab/configuration.ts';
import type { Lab } from '../lab/lab.ts';
import { coordinatorHost, ZONES } from '../lab/network.ts';

/** An instance that no coordinator hears, from `apply` on; healed when the scenario is over. */
export interface Mute {
  apply(): void;
  heal(): void;
  /** Datagrams that were dropped. */
  dropped(): number;
}

export function mute(lab: Lab, instanceId: string): Mute {
  const name = 'unheard';
  const match = `ip saddr ${lab.privateIp(instanceId)} udp dport ${PORTS.heartbeat}`;
  const rules = ZONES.map((zone) => ({
    ...({ namespace: coordinatorHost.name(zone), chain: 'input', match, verdict: 'drop', name } as const),
  }));
  const cut = new Partition(rules);
  lab.undoLater(() => cut.heal());
  return { apply: () => cut.apply(), heal: () => cut.heal(), dropped: () => cut.counters()[name] ?? 0 };
}
