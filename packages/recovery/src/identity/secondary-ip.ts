import { assignedMoveOf, SECONDARY } from './assigned-address.ts';

/** Secondary private IPv4 addresses of the primary interface. */
export const secondaryIp = assignedMoveOf(SECONDARY);
