/**
 * What an EC2 error means for the call it answers.
 * - `transient`: refused, and it passes by itself (rates, concurrent and pending limits, a service
 *   that is down): the same call again, with backoff;
 * - `capacity`: refused; this placement has no room now: another candidate, and this one again
 *   later;
 * - `quota`: refused; what the account may run of this family of types is used up: a candidate of
 *   another family, and this one again later;
 * - `account-limit`: refused in every place, until a person raises the limit or makes room;
 * - `key-pair`: refused; the key pair is gone: again without it;
 * - `candidate`: refused, and this candidate never will do, although another one may;
 * - `lag`: refused; EC2 does not see something that was made a moment ago: the same call again for
 *   a while;
 * - `denied`: refused; a person has to allow it;
 * - `hopeless`: refused, and no repeat and no other candidate changes it;
 * - `key`: refused; the key of a volume cannot be used, until somebody makes that possible again;
 * - `conflict`: refused; something is in a state that forbids it: look, then decide;
 * - `launched`: the token was used, and what it launched is terminated;
 * - `unknown`: it may have been applied: look before anything else.
 */
export type RefusalClass =
  | 'transient'
  | 'capacity'
  | 'quota'
  | 'account-limit'
  | 'key-pair'
  | 'candidate'
  | 'lag'
  | 'denied'
  | 'hopeless'
  | 'key'
  | 'conflict'
  | 'launched'
  | 'unknown';
