import type { Property } from './assertions.ts';
import { BY_INTERFACE } from './by-interface-configurations.ts';
import { MOVING } from './moving-disks.ts';
import { PREDECESSORS } from './predecessors.ts';
import { PREPARATIONS } from './preparations.ts';
import { UNDOS } from './undos.ts';

/**
 * The searches, and the result each has to have. Switches and properties are those of
 * `model/*.pml`; rules are those of docs/SPEC.md.
 */

export type ModelName = 'recovery' | 'endpoint' | 'ordinals' | 'volumes' | 'undo' | 'predecessor' | 'prepared';

export type Expected = 'holds' | 'counterexample';
export interface Configuration {
  readonly name: string;
  readonly model: ModelName;
  /** `NAME` or `NAME=VALUE`. */
  readonly switches: readonly string[];
  /** Where they are to hold, all of them are asserted. Where one is to fail, exactly that one. */
  readonly properties: readonly Property[];
  readonly expected: Expected;
  /** Rules, invariants, or assumptions of docs/SPEC.md. */
  readonly rules: readonly string[];
  /** What the result tells. */
  readonly shows: string;
  /** Takes minutes, or only repeats at a larger bound, so it is not part of the tests. */
  readonly deep?: true;
}

const LAUNCH: readonly Property[] = ['PROPERTY_LAUNCH', 'PROPERTY_FENCE', 'PROPERTY_BOUNDS'];
const SERVING: readonly Property[] = ['PROPERTY_SERVING', ...LAUNCH];
const ADDRESS: readonly Property[] = ['PROPERTY_ACTIVATED_KEEPS', 'PROPERTY_THIRD_PARTY_KEEPS', 'PROPERTY_SETTLES'];
/** These hold whatever an attempt that was left open may still launch. */
const LEFT_OPEN: readonly Property[] = [
  'PROPERTY_SERVING',
  'PROPERTY_FENCE_ANEW',
  'PROPERTY_ONE_INTENT',
  'PROPERTY_ACTIVATED_BY_OPEN',
  'PROPERTY_OWN_LAUNCH',
];
const ORDINALS: readonly Property[] = [...LEFT_OPEN, 'PROPERTY_LAUNCH', 'PROPERTY_NO_LATE_LAUNCH'];

const holds = (
  name: string,
  model: ModelName,
  switches: readonly string[],
  properties: readonly Property[],
  rules: readonly string[],
  shows: string,
): Configuration => ({ name, model, switches, properties, expected: 'holds', rules, shows });

const fails = (
  name: string,
  model: ModelName,
  switches: readonly string[],
  property: Property,
  rules: readonly string[],
  shows: string,
): Configuration => ({ name, model, switches, properties: [property], expected: 'counterexample', rules, shows });

const deep = (configuration: Configuration): Configuration => ({ ...configuration, deep: true });
/** The protocol as built. */
const AS_BUILT: readonly Configuration[] = [
  holds(
    'recovery',
    'recovery',
    [],
    SERVING,
    ['S2', 'S4', 'S5', 'S6', 'S7', 'S8', 'S9', 'S14', 'I1', 'I2', 'I3'],
    'two coordinators, any number of terms, crashes and late calls',
  ),
  holds(
    'recovery-three-coordinators',
    'recovery',
    ['COORDINATORS=3', 'TERMS=3'],
    LAUNCH,
    ['S2', 'S5', 'S6', 'S7', 'I1', 'I3'],
    'three coordinators, three terms',
  ),
  holds(
    'endpoint',
    'endpoint',
    [],
    ADDRESS,
    ['S12', 'I6'],
    'two recoveries in a row, two coordinators, any number of terms, late calls',
  ),
  holds(
    'endpoint-three-coordinators',
    'endpoint',
    ['COORDINATORS=3', 'TERMS=3', 'ASSOCIATIONS=4'],
    ADDRESS,
    ['S12', 'I6'],
    'three coordinators, three terms',
  ),
  holds(
    'ordinals',
    'ordinals',
    ['RECOVERIES=2'],
    ORDINALS,
    ['S2', 'S4', 'S5', 'S6', 'S7', 'S8', 'S9', 'S14', 'S20', 'I1', 'I2', 'I3'],
    'abandoned before or after a launch, or mended in place; recovered again, and replaced',
  ),
  holds(
    'ordinals-mended-twice',
    'ordinals',
    ['ONLY_MENDED'],
    ORDINALS,
    ['S4', 'S5', 'S6', 'S8', 'S9', 'I1', 'I2', 'I3'],
    'stopped and started in place twice, then replaced',
  ),
  holds(
    'ordinals-one-term',
    'ordinals',
    ['ONE_TERM'],
    ORDINALS,
    ['S5', 'S6', 'S7', 'S8', 'S20', 'I1', 'I2', 'I3'],
    'three recoveries, each ended as it likes, by two runs that no term tells apart: intent, step and ordinal are compared',
  ),
  holds(
    'ordinals-activation-compare-alone',
    'ordinals',
    ['RECOVERIES=2', 'ACTIVATE_UNGUARDED', 'LEAVE_OPEN'],
    LEFT_OPEN,
    ['S8', 'S20', 'I2'],
    'activate compares the activation and nothing else; attempts are left open: none of a closed recovery is ever activated',
  ),
  holds(
    'ordinals-deleted-by-hand',
    'ordinals',
    ['RECOVERIES=2', 'ONE_TERM', 'HAND_DELETES'],
    LEFT_OPEN,
    ['S4', 'S5', 'S20', 'I2', 'I3'],
    'somebody deletes the intent and leaves its journal: the ordinal is raised before the next one',
  ),
];

/** The protocol with one rule less. */
const ONE_RULE_LESS: readonly Configuration[] = [
  fails(
    'without-guard',
    'recovery',
    ['WITHOUT_GUARD', 'LAUNCHES=3', 'TERMS=2'],
    'PROPERTY_LAUNCH',
    ['S2', 'S5'],
    'a deposed leader goes on to attempt 2 while its successor launches attempt 1',
  ),
  fails(
    'without-deterministic-token',
    'recovery',
    ['WITHOUT_DETERMINISTIC_TOKEN', 'LAUNCHES=3'],
    'PROPERTY_LAUNCH',
    ['S6'],
    'a late repeat is a new launch once the first instance has let go of the permit',
  ),
  fails(
    'without-frozen-request',
    'recovery',
    ['WITHOUT_FROZEN_REQUEST', 'LAUNCHES=3'],
    'PROPERTY_LAUNCH',
    ['S5', 'S6'],
    'the successor chooses another zone, where the token means nothing',
  ),
  fails(
    'without-permit',
    'recovery',
    ['WITHOUT_PERMIT'],
    'PROPERTY_LAUNCH',
    ['S7'],
    'attempt 1 did launch, or still will; attempt 2 launches in another zone',
  ),
  fails(
    'without-confirmed-revocation',
    'recovery',
    ['WITHOUT_CONFIRMATION'],
    'PROPERTY_LAUNCH',
    ['S7'],
    'the permit was asked to go, but is still there',
  ),
  fails(
    'without-known-permit',
    'recovery',
    ['WITHOUT_KNOWN_PERMIT'],
    'PROPERTY_LAUNCH',
    ['S7'],
    '"not found" is believed of a permit that EC2 does not know yet; a late launch still uses it',
  ),
  fails(
    'without-adoption',
    'recovery',
    ['WITHOUT_ADOPTION'],
    'PROPERTY_LAUNCH',
    ['S7'],
    'a permit in use means that the attempt did launch',
  ),
  fails(
    'without-replacement-fence',
    'recovery',
    ['WITHOUT_REPLACEMENT_FENCE'],
    'PROPERTY_LAUNCH',
    ['S14'],
    'the replacement that failed its verification still runs',
  ),
  fails(
    'without-fence',
    'recovery',
    ['WITHOUT_FENCE'],
    'PROPERTY_SERVING',
    ['S4'],
    'the old instance serves on beside the activated one',
  ),
  fails(
    'without-observed-fence',
    'recovery',
    ['WITHOUT_OBSERVED_FENCE'],
    'PROPERTY_SERVING',
    ['S4'],
    'Stop was answered, but the old instance is still stopping',
  ),
  fails(
    'without-observed-fence-launch',
    'recovery',
    ['WITHOUT_OBSERVED_FENCE'],
    'PROPERTY_FENCE',
    ['S4', 'I3'],
    'a launch before the fence',
  ),
  fails(
    'without-activation',
    'recovery',
    ['WITHOUT_ACTIVATION'],
    'PROPERTY_SERVING',
    ['S9'],
    'whoever boots serves: a predecessor that somebody starts again, too',
  ),
  fails(
    'without-proof-since-boot',
    'recovery',
    ['WITHOUT_PROOF_SINCE_BOOT'],
    'PROPERTY_SERVING',
    ['S9'],
    'a view of etcd older than the boot, hence than the intent, tells the predecessor that came back to serve',
  ),
  fails(
    'endpoint-without-conditional-call',
    'endpoint',
    ['WITHOUT_CONDITIONAL_CALL'],
    'PROPERTY_ACTIVATED_KEEPS',
    ['S12'],
    'a late AssociateAddress of the first recovery flips the address back after the second',
  ),
  fails(
    'endpoint-without-guarded-record',
    'endpoint',
    ['WITHOUT_GUARDED_RECORD', 'WITHOUT_OWNER_CHECK', 'ASSOCIATIONS=4'],
    'PROPERTY_ACTIVATED_KEEPS',
    ['S12'],
    'a deposed leader of the first recovery reads anew and removes the address from the second replacement',
  ),
  fails(
    'endpoint-without-owner-check',
    'endpoint',
    ['WITHOUT_OWNER_CHECK'],
    'PROPERTY_THIRD_PARTY_KEEPS',
    ['S12'],
    'what a third party holds is recorded and taken',
  ),
  fails(
    'ordinals-without-frozen-strategy',
    'ordinals',
    ['RECOVERIES=2', 'WITHOUT_FROZEN_STRATEGY'],
    'PROPERTY_SERVING',
    ['S9', 'S28'],
    'a recovery that replaces is taken for one in place: a late start brings the old instance up, it is told to serve, and goes on beside the replacement',
  ),
  fails(
    'ordinals-without-compare',
    'ordinals',
    ['RECOVERIES=2', 'WITHOUT_ORDINAL_COMPARE'],
    'PROPERTY_ONE_INTENT',
    ['S5'],
    'a new leader whose view is from before the abandoned recovery begins it anew, under the same name',
  ),
  fails(
    'ordinals-without-compare-launch',
    'ordinals',
    ['RECOVERIES=2', 'WITHOUT_ORDINAL_COMPARE'],
    'PROPERTY_LAUNCH',
    ['S5', 'I1'],
    'the same, once the next recovery has replaced the instance: it launches beside the replacement',
  ),
  fails(
    'ordinals-without-raise',
    'ordinals',
    ['RECOVERIES=2', 'WITHOUT_RAISE'],
    'PROPERTY_ONE_INTENT',
    ['S5', 'S20'],
    'the next recovery has the name of the one that was closed',
  ),
  fails(
    'ordinals-without-raise-activate',
    'ordinals',
    ['RECOVERIES=2', 'WITHOUT_RAISE', 'ACTIVATE_UNGUARDED', 'LEAVE_OPEN'],
    'PROPERTY_SERVING',
    ['S8', 'S20'],
    'the activation is what it was when the abandoned recovery began: its leader wakes up and activates, beside the old instance that serves',
  ),
  fails(
    'ordinals-without-ordinal-in-token',
    'ordinals',
    ['RECOVERIES=2', 'WITHOUT_ORDINAL_IN_TOKEN', 'LEAVE_OPEN'],
    'PROPERTY_OWN_LAUNCH',
    ['S6'],
    'the second recovery takes what the first one launched for its own: disks of then',
  ),
  fails(
    'ordinals-without-own-fence',
    'ordinals',
    ['RECOVERIES=2', 'WITHOUT_OWN_FENCE'],
    'PROPERTY_SERVING',
    ['S4'],
    'the first recovery saw the instance stopped; it was started again, and serves on beside what the second one activates',
  ),
  fails(
    'ordinals-without-ended-attempt',
    'ordinals',
    ['RECOVERIES=2', 'LEAVE_OPEN'],
    'PROPERTY_NO_LATE_LAUNCH',
    ['S7', 'S20'],
    'a launch of the abandoned recovery lands after it was closed',
  ),
  fails(
    'ordinals-without-intent-compare',
    'ordinals',
    ['ONE_TERM', 'WITHOUT_INTENT_COMPARE'],
    'PROPERTY_NO_LATE_LAUNCH',
    ['S5'],
    'a run that unwinds beside its closing, in the same term, makes a permit and launches',
  ),
  fails(
    'ordinals-without-raise-on-trace',
    'ordinals',
    ['RECOVERIES=2', 'HAND_DELETES', 'WITHOUT_RAISE_ON_TRACE'],
    'PROPERTY_FENCE_ANEW',
    ['S4', 'S20'],
    'the recovery that was forgotten has the same name: its journal says "fenced", its leader launches; the instance was started since',
  ),
];

const reaches = (
  name: string,
  model: ModelName,
  property: Property,
  shows: string,
  switches: readonly string[] = [],
): Configuration => fails(`reach-${name}`, model, switches, property, [], shows);

/** Shows that the model gets there: a model that gets nowhere satisfies every property. */
const REACHABLE: readonly Configuration[] = [
  reaches('done', 'recovery', 'REACH_DONE', 'a recovery ends'),
  reaches('takeover', 'recovery', 'REACH_TAKEOVER', 'one leader begins it, another one ends it'),
  reaches('second-zone', 'recovery', 'REACH_SECOND_ZONE', 'attempt 2 launches in the other zone'),
  reaches('second-replacement', 'recovery', 'REACH_SECOND_REPLACEMENT', 'a recovery ends with attempt 2'),
  reaches('adoption', 'recovery', 'REACH_ADOPTION', 'a permit is found in use and its instance adopted'),
  reaches('refused-late-launch', 'recovery', 'REACH_REFUSED_LATE_LAUNCH', 'a late launch meets a deleted permit'),
  reaches('predecessor-back', 'recovery', 'REACH_PREDECESSOR_BACK', 'the old instance runs again beside a serving one'),
  reaches('both-done', 'endpoint', 'REACH_BOTH_DONE', 'both recoveries end with the address in its place'),
  reaches(
    'record-corrected',
    'endpoint',
    'REACH_RECORD_CORRECTED',
    'a late call moves the address; it is recorded anew',
  ),
  reaches(
    'replaced-after-abandoned',
    'ordinals',
    'REACH_REPLACED_AFTER_ABANDONED',
    'abandoned before a launch, abandoned after one, then replaced',
    ['COORDINATORS=1'],
  ),
  reaches('replaced-after-mended', 'ordinals', 'REACH_REPLACED_AFTER_MENDED', 'mended in place twice, then replaced', [
    'COORDINATORS=1',
  ]),
  reaches('stale-view', 'ordinals', 'REACH_STALE_VIEW', 'a leader decides on a view that is older than the ordinal'),
  reaches(
    'old-leader',
    'ordinals',
    'REACH_OLD_LEADER',
    'a leader of an earlier ordinal wakes up, and its write is refused',
  ),
];

/**
 * The same at larger bounds, and rules behind which another rule stands: nothing is found without
 * them.
 */
const DEEP: readonly Configuration[] = [
  holds(
    'recovery-three-attempts',
    'recovery',
    ['ATTEMPTS=3'],
    LAUNCH,
    ['S6', 'S7', 'S14', 'I1'],
    'attempt 3 is in the zone of attempt 1 again',
  ),
  holds(
    'recovery-three-coordinators-serving',
    'recovery',
    ['COORDINATORS=3', 'TERMS=3'],
    SERVING,
    ['S8', 'S9', 'I2'],
    'three coordinators, three terms, agents too',
  ),
  holds(
    'recovery-three-coordinators-four-terms',
    'recovery',
    ['COORDINATORS=3', 'TERMS=4'],
    LAUNCH,
    ['S2', 'S5', 'S6', 'S7', 'I1'],
    'one term more',
  ),
  holds(
    'without-activation-compare',
    'recovery',
    ['WITHOUT_ACTIVATION_COMPARE'],
    SERVING,
    ['S8'],
    'within one recovery the guard alone makes one winner; the compare is for writers outside it',
  ),
  holds(
    'endpoint-more-associations',
    'endpoint',
    ['ASSOCIATIONS=6'],
    ADDRESS,
    ['S12', 'I6'],
    'one more change of hands',
  ),
  holds(
    'endpoint-without-guarded-record-only',
    'endpoint',
    ['WITHOUT_GUARDED_RECORD'],
    ADDRESS,
    ['S12'],
    'behind the record stands the rule that only the fenced instance may lose the address',
  ),
  holds(
    'endpoint-without-owner-check-only',
    'endpoint',
    ['WITHOUT_OWNER_CHECK'],
    ['PROPERTY_ACTIVATED_KEEPS'],
    ['S12'],
    'the guarded record alone protects the activated instance, though not a third party',
  ),
  holds(
    'endpoint-without-guard',
    'endpoint',
    ['WITHOUT_GUARD'],
    ADDRESS,
    ['S2', 'S12'],
    'as above: exact ids and conditional calls need no leader',
  ),
  holds(
    'ordinals-three-recoveries',
    'ordinals',
    [],
    ORDINALS,
    ['S2', 'S4', 'S5', 'S6', 'S7', 'S8', 'S9', 'S14', 'S20', 'I1', 'I2', 'I3'],
    'three recoveries, each ended as it likes, under any number of terms',
  ),
].map(deep);

export const CONFIGURATIONS: readonly Configuration[] = [
  ...AS_BUILT,
  ...MOVING,
  ...UNDOS,
  ...PREDECESSORS,
  ...PREPARATIONS,
  ...BY_INTERFACE,
  ...ONE_RULE_LESS,
  ...REACHABLE,
  ...DEEP,
];
