/** Every way of bringing a member back, from the one that changes least. */
export const LADDER_RUNGS = ['reboot', 'stop-start', 'reattach', 'snapshot-and-replace'] as const;
export type LadderRung = (typeof LADDER_RUNGS)[number];
