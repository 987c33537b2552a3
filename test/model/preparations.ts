import type { Property } from './assertions.ts';
import type { Configuration } from './configurations.ts';

const ONE_TERM = 'ONE_TERM';
const ADOPTED_STAYS = 'PROPERTY_ADOPTED_STAYS';
const NO_LEAK = 'PROPERTY_NO_LEAK';
const PREPARED: readonly Property[] = [
  ...([ADOPTED_STAYS, NO_LEAK, 'PROPERTY_OWN_LAUNCH', 'PROPERTY_LAUNCHED_ALONE'] as const),
  ...(['PROPERTY_FENCE_ANEW', 'PROPERTY_QUARANTINE', 'PROPERTY_ONE_INTENT', 'PROPERTY_ACTIVATED_BY_OPEN'] as const),
];

const holds = (
  name: string,
  switches: readonly string[],
  properties: readonly Property[],
  rules: readonly string[],
  shows: string,
): Configuration => ({ name, model: 'prepared', switches, properties, expected: 'holds', rules, shows });

const fails = (
  name: string,
  switches: readonly string[],
  property: Property,
  rules: readonly string[],
  shows: string,
): Configuration => ({
  ...{ name, model: 'prepared', switches: [ONE_TERM, ...switches], properties: [property] },
  ...{ expected: 'counterexample', rules, shows },
});

/** What is made for a suspect: taken over by its recovery, or dropped. */
export const PREPARATIONS: readonly Configuration[] = [
  holds(
    'prepared',
    [ONE_TERM],
    PREPARED,
    ['S4', 'S5', 'S6', 'S7', 'S14', 'S20', 'S31', 'I1', 'I3'],
    'taken over, or dropped at any moment and recovered under the next name; two tasks that no term tells apart, late calls',
  ),
  holds(
    'prepared-terms',
    ['NAMES=1'],
    PREPARED,
    ['S2', 'S4', 'S6', 'S7', 'S31', 'I1', 'I3'],
    'one name, and leaders one after another, any number of terms',
  ),
  holds(
    'prepared-serving',
    [ONE_TERM, 'NAMES=1'],
    ['PROPERTY_SERVING'],
    ['S4', 'S9', 'S31', 'I2'],
    'the seed, started by whomever and whenever, never serves beside the member',
  ),
  holds(
    'prepared-all-gone',
    [ONE_TERM],
    ['PROPERTY_ALL_GONE'],
    ['S31', 'I7'],
    'once nothing fails any more, what is left is what is activated: all else was removed, by whoever leads',
  ),
  fails(
    'prepared-without-record-first',
    ['WITHOUT_RECORD_FIRST'],
    NO_LEAK,
    ['S31'],
    'launched before its record is written: the leader dies, and nobody knows of it',
  ),
  fails(
    'prepared-without-no-preparation',
    ['WITHOUT_NO_PREPARATION'],
    'PROPERTY_OWN_LAUNCH',
    ['S31'],
    'a recovery whose view shows no preparation yet goes on with the journal of one, launched by another plan',
  ),
  fails(
    'prepared-without-same-launch',
    ['WITHOUT_SAME_LAUNCH'],
    'PROPERTY_OWN_LAUNCH',
    ['S6', 'S31'],
    'a seed is taken over that another launch made than the one the recovery would send',
  ),
  fails(
    'prepared-without-drop-compare',
    ['WITHOUT_DROP_COMPARE', 'WITHOUT_RECOVERY_LOOK'],
    ADOPTED_STAYS,
    ['S31'],
    'a drop that was decided on before the take-over is written after it: it ends what the recovery has taken over',
  ),
  fails(
    'prepared-without-raise',
    ['WITHOUT_RAISE', 'WITHOUT_DROP_LOOK'],
    ADOPTED_STAYS,
    ['S31'],
    'the recovery has the name of what was dropped, and takes over what is being removed',
  ),
  fails(
    'prepared-without-revocation',
    ['WITHOUT_REVOCATION'],
    NO_LEAK,
    ['S7', 'S31'],
    'nothing is there, and its record goes: the launch lands afterwards',
  ),
  fails(
    'prepared-without-adoption',
    ['WITHOUT_ADOPTION'],
    NO_LEAK,
    ['S7', 'S31'],
    'the reply of the launch was lost: what it launched is neither seen by its permit nor by its tags',
  ),
  fails(
    'prepared-without-ended-attempt',
    ['WITHOUT_ENDED_ATTEMPT', 'NAMES=1'],
    NO_LEAK,
    ['S14', 'S20', 'S31'],
    'a recovery that has taken a seed over is abandoned, and leaves it',
  ),
  fails(
    'prepared-without-successor',
    ['WITHOUT_SUCCESSOR'],
    'PROPERTY_ALL_GONE',
    ['S31'],
    'the leader that dropped it dies, and its successor does not go on with the removal',
  ),
  fails(
    'prepared-without-fence',
    ['WITHOUT_FENCE', 'NAMES=1'],
    'PROPERTY_SERVING',
    ['S4', 'S31', 'I2'],
    'the seed is ready, so it is activated at once: the member serves on beside it',
  ),
  fails(
    'prepared-without-fence-before-disks',
    ['WITHOUT_FENCE_BEFORE_DISKS', 'NAMES=1'],
    'PROPERTY_QUARANTINE',
    ['S4', 'S27', 'S31'],
    'the seed leaves its quarantine before the fence: it gets disks and tags of a member that runs',
  ),
  fails('reach-taken-over', [], 'REACH_TAKEN_OVER', [], 'what was prepared is activated'),
  fails(
    'reach-dropped-beside-recovery',
    [],
    'REACH_DROPPED_BESIDE',
    [],
    'what was dropped after its launch is gone while a recovery of the next name is under way',
  ),
  fails(
    'reach-late-seed',
    [],
    'REACH_LATE_SEED',
    [],
    'a launch of the preparation lands once its recovery has begun, and before the fence',
  ),
  {
    ...holds(
      'prepared-two-terms',
      [],
      PREPARED,
      ['S2', 'S5', 'S20', 'S31'],
      'two names, leaders one after another, any number of terms',
    ),
    deep: true,
  },
  {
    ...holds(
      'prepared-without-frozen-request',
      [ONE_TERM, 'WITHOUT_SAME_LAUNCH', 'WITHOUT_FROZEN_REQUEST', 'NAMES=1'],
      ['PROPERTY_LAUNCHED_ALONE'],
      ['S6', 'S7', 'S31'],
      'taken over by another launch, and each sends its own: still one, because the journal lets one of them go on to its permit',
    ),
    deep: true,
  },
  {
    ...holds(
      'prepared-without-recovery-look',
      [ONE_TERM, 'WITHOUT_RECOVERY_LOOK'],
      [ADOPTED_STAYS],
      ['S31'],
      'the compares of drop and take-over are enough: nobody needs to look whether a recovery has its name',
    ),
    deep: true,
  },
];
