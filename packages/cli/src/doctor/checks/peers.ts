import { check } from '../check.ts';
import type { CoordinatorHost } from '../coordinator-host.ts';
import { type Finding, fault, note, ok, warning } from '../finding.ts';
import type { PeerFacts } from '../peers.ts';

function peerFindings({ coordinatorId, httpUrl, httpProblem, udpEndpoint, udp }: PeerFacts): readonly Finding[] {
  const http =
    httpProblem === null
      ? ok(`${coordinatorId} answers at ${httpUrl}`)
      : fault(
          `${coordinatorId} does not answer at ${httpUrl}: ${httpProblem}`,
          'open the TCP port between the coordinators, both ways, or correct its http.publicUrl',
        );
  if (udp === 'refused')
    return [
      http,
      fault(
        `nothing listens at ${udpEndpoint}, where ${coordinatorId} says it hears heartbeats`,
        'see that it runs there',
      ),
    ];
  return udp === 'unknown'
    ? [http, warning(`${udpEndpoint} of ${coordinatorId} cannot be sent to`, 'correct its udp.host')]
    : [http];
}

/** Whether this host reaches every coordinator, and whether they stand apart. Pure. */
export function judgePeers(peers: readonly PeerFacts[], ownId: string): readonly Finding[] {
  const others = peers.filter(({ coordinatorId }) => coordinatorId !== ownId);
  const zones = new Set(peers.map(({ az }) => az));
  const few =
    peers.length > 0 && zones.size < 2
      ? [warning(`all coordinators stand in ${[...zones].join()}`, 'run them in three zones: one zone is never proof')]
      : [];
  const open = others.some(({ udp }) => udp === 'no-refusal')
    ? [
        note(
          'UDP: no host refused; nobody answers a stranger, so a firewall that swallows datagrams is not seen from here',
        ),
      ]
    : [];
  const none =
    others.length === 0
      ? [note('etcd names no other coordinator that runs now: whether this host reaches them was not looked at')]
      : [note('whether they reach this host is seen on theirs: run doctor there, too')];
  return [...peers.flatMap(peerFindings), ...few, ...open, ...none];
}

export const peers = check(
  'coordinators',
  async (host: CoordinatorHost) => ({ all: await host.peers(), ownId: host.config.id }),
  ({ all, ownId }) => judgePeers(all, ownId),
);
