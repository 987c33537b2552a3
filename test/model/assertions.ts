/**
 * A property by its switch, and the text of the assertion that fails when it is violated.
 * `REACH_...` asserts the opposite: the "violation" is the witness that the model gets there.
 */
export const ASSERTIONS = {
  PROPERTY_LAUNCH: 'launchesNotEnded<=1',
  PROPERTY_SERVING: 'servingCount<=1',
  PROPERTY_FENCE: 'oldWasStopped',
  PROPERTY_BOUNDS: 'withinBounds',
  PROPERTY_NO_LATE_LAUNCH: '!(launchedAfterClose)',
  PROPERTY_FENCE_ANEW: '!(launchedUnfenced)',
  PROPERTY_ONE_INTENT: 'begunOnce',
  PROPERTY_ACTIVATED_BY_OPEN: '!(activatedByClosed)',
  PROPERTY_OWN_LAUNCH: '!(activatedForeign)',
  PROPERTY_ACTIVATED_KEEPS: '!(takenFromActivated)',
  PROPERTY_THIRD_PARTY_KEEPS: '!(takenFromThirdParty)',
  PROPERTY_SETTLES: '!(endedElsewhere)',
  PROPERTY_SERVING_KEEPS_DISK: '!(tornFromServing)',
  PROPERTY_ONE_TRUTH: '!(runsElsewhere)',
  PROPERTY_WHOLE_BOOT: '!(startedWithout)',
  PROPERTY_BROUGHT_BACK_FENCED: '!(broughtBackUnfenced)',
  PROPERTY_ACTIVATED_STAYS: '!(collectedActivated)',
  REACH_UNDONE_TWICE: '!(reachedUndoneTwice)',
  REACH_UNDONE_AFTER_CALLED_OFF: '!(reachedUndoneAfterCalledOff)',
  REACH_IDLE_CLAIMANT: '!(reachedIdleClaimant)',
  REACH_MOVED: '!(reachedMoved)',
  REACH_GIVEN_BACK: '!(reachedGivenBack)',
  REACH_DONE: '!(reachedDone)',
  REACH_SECOND_REPLACEMENT: '!(reachedSecondReplacement)',
  REACH_TAKEOVER: '!(reachedTakeover)',
  REACH_SECOND_ZONE: '!(reachedSecondZone)',
  REACH_ADOPTION: '!(reachedAdoption)',
  REACH_REFUSED_LATE_LAUNCH: '!(reachedRefusedLateLaunch)',
  REACH_PREDECESSOR_BACK: '!(reachedPredecessorBack)',
  REACH_BOTH_DONE: '!(reachedBothDone)',
  REACH_RECORD_CORRECTED: '!(reachedRecordCorrected)',
  REACH_REPLACED_AFTER_ABANDONED: '!(reachedReplacedAfterAbandoned)',
  REACH_REPLACED_AFTER_MENDED: '!(reachedReplacedAfterMended)',
  REACH_STALE_VIEW: '!(reachedStaleView)',
  REACH_OLD_LEADER: '!(reachedOldLeader)',
} as const;

export type Property = keyof typeof ASSERTIONS;
