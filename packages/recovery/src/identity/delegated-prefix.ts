import { assignedMoveOf, PREFIX } from './assigned-address.ts';

/** IPv4 and IPv6 prefixes that are delegated to the primary interface. */
export const delegatedPrefix = assignedMoveOf(PREFIX);
