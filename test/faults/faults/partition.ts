import * as z from 'zod';
import { REGION, routerOf, runInside, type Zone } from '../lab/network.ts';

const TABLE = 'faults';

/** One nft rule in one namespace. Its counter is the evidence that it struck. */
export interface Rule {
  readonly namespace: string;
  /**
   * `forward` is for what crosses the machine (a zone's router), the others for what ends or begins
   * there.
   */
  readonly chain: 'input' | 'output' | 'forward';
  /** nft matches, e.g. `udp dport 7946`. */
  readonly match: string;
  /** `drop`, or `count` to see what still passes. */
  readonly verdict: 'drop' | 'count';
  /** Unique in its partition; letters, digits, `-`. */
  readonly name: string;
}

const ListingSchema = z.object({
  nftables: z.array(
    z.object({
      rule: z
        .object({
          comment: z.string().optional(),
          expr: z.array(z.object({ counter: z.object({ packets: z.number() }).optional() })),
        })
        .optional(),
    }),
  ),
});

const chainText = (chain: Rule['chain'], rules: readonly Rule[]): string => `
  chain ${chain} {
    type filter hook ${chain} priority -10; policy accept;
${rules
  .filter((rule) => rule.chain === chain)
  .map(({ match, verdict, name }) => `    ${match} counter ${verdict === 'drop' ? 'drop' : ''} comment "${name}"`)
  .join('\n')}
  }`;

const tableText = (rules: readonly Rule[]): string =>
  `table inet ${TABLE}\ndelete table inet ${TABLE}\ntable inet ${TABLE} {${(['input', 'output', 'forward'] as const)
    .map((chain) => chainText(chain, rules))
    .join('')}\n}\n`;

/** A set of nft rules, applied together. One at a time per namespace. */
export class Partition {
  readonly #rules: readonly Rule[];
  readonly #namespaces: readonly string[];
  #applied = false;

  constructor(rules: readonly Rule[]) {
    this.#rules = rules;
    this.#namespaces = [...new Set(rules.map((rule) => rule.namespace))];
  }

  apply(): void {
    for (const namespace of this.#namespaces) {
      runInside(namespace, 'nft', ['-f', '-'], tableText(this.#rules.filter((rule) => rule.namespace === namespace)));
    }
    this.#applied = true;
  }

  /**
   * Packets each rule has matched since it was applied, by the rule's name. Rules of the same name
   * are added up.
   */
  counters(): Readonly<Record<string, number>> {
    const counted: Record<string, number> = {};
    for (const namespace of this.#namespaces) {
      const listing = ListingSchema.parse(
        JSON.parse(runInside(namespace, 'nft', ['-j', 'list', 'table', 'inet', TABLE])),
      );
      for (const { rule } of listing.nftables) {
        if (rule?.comment === undefined) continue;
        const packets = rule.expr.reduce((sum, { counter }) => sum + (counter?.packets ?? 0), 0);
        counted[rule.comment] = (counted[rule.comment] ?? 0) + packets;
      }
    }
    return counted;
  }

  /** Idempotent. */
  heal(): void {
    if (!this.#applied) return;
    this.#applied = false;
    for (const namespace of this.#namespaces) runInside(namespace, 'nft', ['delete', 'table', 'inet', TABLE]);
  }
}

/**
 * Neither the operator's way in nor the hypervisors' metadata service is part of the network that
 * breaks.
 */
const NETWORK_ONLY = `{ ${REGION.operatorAddress}, ${REGION.imdsAddress} }`;

/** Rules for what enters a zone from outside, and what leaves it. */
export const intoZone = (zone: Zone, verdict: Rule['verdict']): Rule => ({
  namespace: routerOf(zone),
  chain: 'forward',
  match: `iifname "backbone" ip saddr != ${NETWORK_ONLY}`,
  verdict,
  name: 'in',
});
export const outOfZone = (zone: Zone, verdict: Rule['verdict']): Rule => ({
  namespace: routerOf(zone),
  chain: 'forward',
  match: `oifname "backbone" ip daddr != ${NETWORK_ONLY}`,
  verdict,
  name: 'out',
});

/** Both directions of one port of a host, as client (`there`) or as server (`here`). */
export function portOf(namespace: string, protocol: 'udp' | 'tcp', port: number, where: 'here' | 'there'): Rule[] {
  const [towards, back] = where === 'here' ? (['dport', 'sport'] as const) : (['sport', 'dport'] as const);
  return [
    { namespace, chain: 'input', match: `${protocol} ${towards} ${port}`, verdict: 'drop', name: 'in' },
    { namespace, chain: 'output', match: `${protocol} ${back} ${port}`, verdict: 'drop', name: 'out' },
  ];
}

/**
 * Rules for heartbeats of some instances, or of all, at the coordinators' side, and for the
 * coordinators' datagrams at the instances' side. They are dropped where they arrive, since a
 * sender is told (EPERM) of what its own machine drops.
 */
export function heartbeatsOf(
  instances: readonly { readonly instanceId: string; readonly address: string }[],
  coordinators: readonly string[],
  port: number,
): Rule[] {
  const arriving = coordinators.flatMap((namespace) =>
    instances.map(({ address }): Rule => {
      const match = `ip saddr ${address} udp dport ${port}`;
      return { namespace, chain: 'input', match, verdict: 'drop', name: 'heartbeats' };
    }),
  );
  const answers = instances.map(({ instanceId: namespace }): Rule => {
    return { namespace, chain: 'input', match: `udp sport ${port}`, verdict: 'drop', name: 'answers' };
  });
  return [...arriving, ...answers];
}

/** Everything between a host and one address. */
export const hostPair = (namespace: string, address: string): Rule[] => [
  { namespace, chain: 'input', match: `ip saddr ${address}`, verdict: 'drop', name: 'in' },
  { namespace, chain: 'output', match: `ip daddr ${address}`, verdict: 'drop', name: 'out' },
];

/** Drops this share of the packets that the given rules match. */
export const lossOf = (rules: readonly Rule[], percent: number): Rule[] =>
  rules.flatMap((rule) => [
    { ...rule, verdict: 'count', name: 'seen' },
    { ...rule, match: `${rule.match} numgen random mod 100 < ${percent}`, verdict: 'drop', name: 'lost' },
  ]);
