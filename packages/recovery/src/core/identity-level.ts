/** The first feature level whose builds move more than Elastic IPs on the primary address. */
export const IDENTITY_LEVEL = 2;
