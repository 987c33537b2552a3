/** The ways in which datagrams are lost, the same for every detector that is compared. */
export const CONDITION_NAMES = ['1 %', '5 %', '10 %', 'bursts of 1 s', 'bursts of 2 s'] as const;

export type ConditionName = (typeof CONDITION_NAMES)[number];
