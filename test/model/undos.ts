import type { Property } from './assertions.ts';
import type { Configuration } from './configurations.ts';

const ONLY_UNDOS = 'ONLY_UNDOS';
const BEGUN_ONCE = 'PROPERTY_ONE_INTENT';
const UNDO: readonly Property[] = [
  ...(['PROPERTY_SERVING', 'PROPERTY_BROUGHT_BACK_FENCED'] as const),
  ...([BEGUN_ONCE, 'PROPERTY_ACTIVATED_BY_OPEN'] as const),
];

const holds = (
  name: string,
  switches: readonly string[],
  properties: readonly Property[],
  rules: readonly string[],
  shows: string,
): Configuration => ({ name, model: 'undo', switches, properties, expected: 'holds', rules, shows });

const fails = (
  name: string,
  switches: readonly string[],
  property: Property,
  rules: readonly string[],
  shows: string,
): Configuration => ({
  ...{ name, model: 'undo', switches, properties: [property] },
  ...{ expected: 'counterexample', rules, shows },
});

/** A recovery that is put back. */
export const UNDOS: readonly Configuration[] = [
  holds(
    'undo',
    [],
    UNDO,
    ['S2', 'S4', 'S5', 'S8', 'S9', 'S20', 'S30', 'I2', 'I3'],
    'undone, called off, undone in its turn, or replaced meanwhile; any number of terms, stops and starts at any time',
  ),
  holds(
    'undo-late-detach',
    [ONLY_UNDOS],
    ['PROPERTY_SERVING_KEEPS_DISK'],
    ['S27', 'S30', 'A5'],
    'a DetachVolume of an earlier recovery may land until it is calm: never on the instance that serves again',
  ),
  holds(
    'undo-collector',
    [ONLY_UNDOS],
    ['PROPERTY_ACTIVATED_STAYS'],
    ['S30'],
    'the collector beside it ends what is retired, and never who is activated',
  ),
  fails(
    'undo-without-observed-fence',
    [ONLY_UNDOS, 'WITHOUT_OBSERVED_FENCE'],
    'PROPERTY_SERVING',
    ['S4', 'S30', 'I2'],
    'Stop was answered, and the present instance still serves beside the one that is activated again',
  ),
  fails(
    'undo-without-observed-fence-start',
    [ONLY_UNDOS, 'WITHOUT_OBSERVED_FENCE'],
    'PROPERTY_BROUGHT_BACK_FENCED',
    ['S4', 'S30', 'I3'],
    'the retired instance is started before the present one was seen stopped',
  ),
  fails(
    'undo-without-calm',
    [ONLY_UNDOS, 'WITHOUT_CALM'],
    'PROPERTY_SERVING_KEEPS_DISK',
    ['S27', 'S30', 'A5'],
    'begun while a call may land: a DetachVolume of an earlier recovery takes the disk off who serves again',
  ),
  fails(
    'undo-without-raised-ordinal',
    [ONLY_UNDOS, 'WITHOUT_RAISED_ORDINAL'],
    BEGUN_ONCE,
    ['S8', 'S30'],
    'activated as a new instance is: its next recovery has the name of the one that was put back',
  ),
  fails(
    'undo-without-raise',
    [ONLY_UNDOS, 'WITHOUT_RAISE'],
    BEGUN_ONCE,
    ['S5', 'S20', 'S30'],
    'called off, and asked for again: the second undo has the name of the first',
  ),
  fails(
    'undo-without-raise-activate',
    [ONLY_UNDOS, 'WITHOUT_RAISE', 'ACTIVATE_UNGUARDED'],
    'PROPERTY_SERVING',
    ['S8', 'S20', 'S30'],
    'the leader of an undo that was called off wakes up and activates, beside the instance that serves again',
  ),
  fails(
    'undo-without-basis-compare',
    ['WITHOUT_BASIS_COMPARE'],
    BEGUN_ONCE,
    ['S5', 'S30'],
    'the present instance was replaced meanwhile: it is recovered under the name of then',
  ),
  fails(
    'undo-without-basis-compare-serving',
    ['WITHOUT_BASIS_COMPARE', 'WITHOUT_ACTIVATION_COMPARE', 'COORDINATORS=1'],
    'PROPERTY_SERVING',
    ['S5', 'S8', 'S30', 'I2'],
    'the same, and nothing is compared at the activation: the replacement serves on, since another one was fenced',
  ),
  fails(
    'undo-without-books',
    [ONLY_UNDOS, 'WITHOUT_BOOKS'],
    'PROPERTY_ACTIVATED_STAYS',
    ['S30'],
    'the intent leaves the retired instance to the collector, which ends it once it serves',
  ),
  fails(
    'undo-without-time-left',
    [ONLY_UNDOS, 'WITHOUT_TIME_LEFT'],
    'PROPERTY_ACTIVATED_STAYS',
    ['S30'],
    'begun in the last 15 minutes: a collector that has looked already ends it',
  ),
  fails(
    'undo-without-way-out',
    [ONLY_UNDOS, 'WITHOUT_FROZEN_STRATEGY'],
    'PROPERTY_SERVING',
    ['S9', 'S30'],
    'taken for a recovery in place: the present instance, started again by a late call, is told to serve, and goes on',
  ),
  fails('reach-undone-twice', [ONLY_UNDOS], 'REACH_UNDONE_TWICE', [], 'an undo is undone'),
  fails(
    'reach-undone-after-called-off',
    [ONLY_UNDOS],
    'REACH_UNDONE_AFTER_CALLED_OFF',
    [],
    'called off, and through the second time',
  ),
  fails(
    'reach-idle-claimant',
    [ONLY_UNDOS],
    'REACH_IDLE_CLAIMANT',
    [],
    'a late start runs the retired instance after an undo was called off; it serves nobody',
  ),
  {
    ...holds('undo-three-recoveries', [ONLY_UNDOS, 'RECOVERIES=3'], UNDO, ['S2', 'S4', 'S8', 'S30', 'I2'], 'one more'),
    deep: true,
  },
  {
    ...holds(
      'undo-without-basis-compare-alone',
      ['WITHOUT_BASIS_COMPARE'],
      ['PROPERTY_SERVING'],
      ['S5', 'S8', 'S30'],
      'behind it stands the compare of the activation: two never serve',
    ),
    deep: true,
  },
  {
    ...holds(
      'undo-activation-compare-alone',
      [ONLY_UNDOS, 'ACTIVATE_UNGUARDED'],
      ['PROPERTY_SERVING', 'PROPERTY_ACTIVATED_BY_OPEN'],
      ['S8', 'S20', 'S30'],
      'activate compares the activation and nothing else: enough, because what calls an undo off raises the ordinal',
    ),
    deep: true,
  },
];
