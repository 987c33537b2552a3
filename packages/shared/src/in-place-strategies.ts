/** The ways that leave the member on the instance it has. */
export const IN_PLACE_STRATEGIES = ['reboot', 'stop-start'] as const;

const IN_PLACE = new Set<string>(IN_PLACE_STRATEGIES);
/** The instance stays the member's, whatever comes of it. */
export const staysInPlace = ({ strategy }: { readonly strategy: string }): boolean => IN_PLACE.has(strategy);
