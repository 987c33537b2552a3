import { assignedMoveOf, IPV6 } from './assigned-address.ts';

/** IPv6 addresses of the primary interface. */
export const ipv6Address = assignedMoveOf(IPV6);
