import * as z from 'zod';
import { durationMs } from '../duration-field.ts';
import { dnsFields } from './dns.ts';
import { targetGroupFields } from './target-groups.ts';

/** What can follow a member beside the addresses of its primary interface's own address. */
const CARRIED = ['secondary-ips', 'ipv6-addresses', 'prefixes', 'interfaces'] as const;
export type CarriedIdentity = (typeof CARRIED)[number];

const kinds = z.array(z.enum(CARRIED)).max(CARRIED.length);

/** What follows a member to its replacement (`docs/identity.md`). */
export const identityFields = z.strictObject({
  /**
   * What moves to the replacement, beside its Elastic IPs, which always do. Secondary private
   * addresses, IPv6 addresses and prefixes need a replacement in the same subnet; further
   * interfaces one in the same zone. What is not named here stays where it is, and the plan lists
   * it as lost.
   */
  carry: kinds.default([...CARRIED]),
  /**
   * What a member must not be without. Where it has such a thing, and a placement could not take
   * it, the recovery is refused, with a readiness problem. Otherwise that is a loss, which the plan
   * names.
   */
  mustFollow: kinds.default([]),
  /**
   * The primary private address, which EC2 frees only when the instance that has it is terminated.
   * `may-change`: a replacement has another one, and the plan says so. `keep`: only ways that keep
   * the instance (`reboot`, `stop-start`) are taken; a replacement is refused, with a readiness
   * problem where no other way is allowed. `follow`: the failed instance is terminated, once its
   * data is secured and before another one runs, and the replacement gets the address, in the same
   * subnet only. Nothing is left of the failed instance but volumes and snapshots, there is no
   * undo, and while that subnet has no room the member stays down.
   */
  primaryAddress: z.enum(['may-change', 'keep', 'follow']).default('may-change'),
  /**
   * How long after a recovery the leader looks whether each thing is still where it was put.
   * Default 3 600 000 (1 h), 0 to 604 800 000. Shorter = fewer calls; longer = what is moved away
   * by somebody else's program is noticed later, too. 0: it does not look.
   */
  watchForMs: durationMs(3_600_000, 0, 604_800_000),
  /** Which records of Route 53 follow. */
  dns: dnsFields.prefault({}),
  /** In which target groups the replacement takes the place of the failed instance. */
  targetGroups: targetGroupFields.prefault({}),
});
