import type { Property } from './assertions.ts';
import type { Configuration } from './configurations.ts';

const fails = (
  name: string,
  switches: readonly string[],
  property: Property,
  rules: readonly string[],
  shows: string,
): Configuration => ({
  ...{ name, model: 'predecessor', switches, properties: [property] },
  ...{ expected: 'counterexample', rules, shows },
});

/** A predecessor that is ended before its successor runs, so that its address is free. */
export const PREDECESSORS: readonly Configuration[] = [
  {
    name: 'predecessor',
    model: 'predecessor',
    switches: [],
    properties: ['PROPERTY_DATA_SECURED', 'PROPERTY_LAUNCHED_ALONE', 'PROPERTY_KEPT_STAYS'],
    expected: 'holds',
    rules: ['S2', 'S7', 'S14', 'S20', 'S32'],
    shows: 'two attempts, or abandoned before or while it is ended; any number of terms, calls that land late',
  },
  fails(
    'predecessor-without-secured-data',
    ['WITHOUT_SECURED'],
    'PROPERTY_DATA_SECURED',
    ['S32'],
    'it is ended while its snapshots are under way',
  ),
  fails(
    'predecessor-without-seen-kept',
    ['WITHOUT_SEEN_KEPT'],
    'PROPERTY_DATA_SECURED',
    ['S32'],
    'its volumes go with it: that they outlive it was said, and not seen',
  ),
  fails(
    'predecessor-without-its-end',
    ['WITHOUT_ENDED_PREDECESSOR', 'WITHOUT_ADDRESS'],
    'PROPERTY_LAUNCHED_ALONE',
    ['S32'],
    'attempt 1 is launched beside it, with another address',
  ),
  fails(
    'predecessor-without-ended-attempt',
    ['WITHOUT_ENDED_ATTEMPT', 'WITHOUT_ADDRESS'],
    'PROPERTY_LAUNCHED_ALONE',
    ['S7', 'S14'],
    'attempt 2 is launched beside attempt 1; with the address in both permits EC2 itself refuses that',
  ),
  fails(
    'predecessor-without-seen-through',
    ['WITHOUT_SEEN_THROUGH'],
    'PROPERTY_KEPT_STAYS',
    ['S20', 'S32'],
    'the recovery is abandoned and the instance given back; a TerminateInstances of it still lands',
  ),
  fails('reach-address-followed', [], 'REACH_FOLLOWED', [], 'attempt 2 is activated with the address'),
  fails('reach-predecessor-kept', [], 'REACH_KEPT', [], 'abandoned before it was asked to end'),
];
