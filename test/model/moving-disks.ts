import type { Property } from './assertions.ts';
import type { Configuration } from './configurations.ts';

const reaches = (name: string, property: Property, shows: string): Configuration => ({
  ...{ name: `reach-${name}`, model: 'volumes', switches: [], properties: [property] },
  ...{ expected: 'counterexample', rules: [], shows },
});

const DISK: readonly Property[] = ['PROPERTY_SERVING_KEEPS_DISK', 'PROPERTY_ONE_TRUTH', 'PROPERTY_WHOLE_BOOT'];

/** A disk that moves to a replacement, or back. */
export const MOVING: readonly Configuration[] = [
  {
    name: 'volumes',
    model: 'volumes',
    switches: [],
    properties: DISK,
    expected: 'holds',
    rules: ['S2', 'S4', 'S14', 'S27', 'I12'],
    shows: 'two attempts, then given back; any number of terms, late calls, stops and starts at any time',
  },
  {
    name: 'volumes-without-observed-fence',
    model: 'volumes',
    switches: ['WITHOUT_OBSERVED_FENCE'],
    properties: ['PROPERTY_SERVING_KEEPS_DISK'],
    expected: 'counterexample',
    rules: ['S4', 'S27', 'I12'],
    shows: 'the disk comes off the old instance while that is only stopping',
  },
  {
    name: 'volumes-without-named-instance',
    model: 'volumes',
    switches: ['WITHOUT_NAMED_INSTANCE'],
    properties: ['PROPERTY_SERVING_KEEPS_DISK'],
    expected: 'counterexample',
    rules: ['S27'],
    shows: 'a late DetachVolume, meant for the old instance, takes the disk off the one that serves',
  },
  {
    name: 'volumes-without-ended-attempt',
    model: 'volumes',
    switches: ['WITHOUT_ENDED_ATTEMPT'],
    properties: ['PROPERTY_ONE_TRUTH'],
    expected: 'counterexample',
    rules: ['S14', 'S27'],
    shows: 'a late AttachVolume of attempt 1 puts the disk on its instance, which still runs',
  },
  {
    name: 'volumes-without-seen-disk',
    model: 'volumes',
    switches: ['WITHOUT_SEEN_DISK'],
    properties: ['PROPERTY_WHOLE_BOOT'],
    expected: 'counterexample',
    rules: ['S27'],
    shows: 'the replacement is started before the disk is seen on it',
  },
  {
    name: 'volumes-started-afterwards',
    model: 'volumes',
    switches: ['STARTED_AFTERWARDS'],
    properties: ['PROPERTY_SERVING_KEEPS_DISK'],
    expected: 'counterexample',
    rules: ['A5'],
    shows:
      'a gap that is told: the disk is given back, a person starts the instance, and a DetachVolume of then still lands',
  },
  reaches('disk-moved', 'REACH_MOVED', 'attempt 2 is activated with the disk'),
  reaches('disk-given-back', 'REACH_GIVEN_BACK', 'both attempts fail, and the old instance has it again'),
];
