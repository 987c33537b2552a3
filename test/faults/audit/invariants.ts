import type { MemberId } from '@understudy/shared';
import type { Lab } from '../lab/lab.ts';
import { MEMBERS } from '../lab/configuration.ts';
import type { Recorder, SeenRecovery, Serving } from './recorder.ts';

/** What a scenario did to the members. The others have to be left alone. */
export interface Victims {
  /** Members whose recovery is the right answer to what was done. */
  readonly mayBeReplaced: readonly MemberId[];
}

/** uptime has hundredths of a second. */
const CLOCK_GRAIN_S = 0.02;

/**
 * Checks the invariants of docs/SPEC.md that can be seen from outside, over the whole run so far,
 * and I9 over the recoveries that are new in this scenario. Returns what is violated, in words.
 */
export function violations(lab: Lab, fresh: readonly SeenRecovery[], victims: Victims): string[] {
  const all = [...lab.recorder.recoveries.values()];
  return [
    ...all.flatMap((recovery) => wrongLaunches(lab.recorder, recovery)),
    ...servingTwice(lab.recorder.serving()),
    ...fresh.flatMap(({ member, opId }) =>
      victims.mayBeReplaced.includes(member) ? [] : [`I9: ${member} was healthy, and ${opId} replaced it`],
    ),
    ...MEMBERS.flatMap(({ member }) => addressAstray(lab, member)),
  ];
}

/**
 * I1: a further launch only when the one before is seen terminated. I3: no launch before the fence
 * was observed, by EC2's order and by etcd's. Of what was launched for a suspect, in quarantine
 * (S31), the launch alone may be earlier: all that makes it the member may not.
 */
export function wrongLaunches(recorder: Recorder, recovery: SeenRecovery): string[] {
  const { opId, fencedRevision, launchRevision } = recovery;
  const launched = recorder.launchedFor(opId);
  const unrecorded = launchRevision !== null && (fencedRevision === null || fencedRevision > launchRevision);
  return [
    ...launched.slice(1).flatMap((id, index) => {
      const before = launched[index] ?? '';
      return recorder.terminatedBeforeLaunch(before, id) ? [] : [`I1: ${opId} launched ${id} beside ${before}`];
    }),
    // Where a lease was waited out the old instance may run, but not serve. I2 checks that.
    ...(recovery.fencedByLease ? [] : launched.flatMap((id) => beforeStop(recorder, recovery, id))),
    ...(unrecorded ? [`I3: ${opId} recorded a launch before an observed fence`] : []),
  ];
}

/** What was done with one launch before EC2 had the old instance stopped. */
function beforeStop(recorder: Recorder, { opId, oldInstanceId }: SeenRecovery, id: string): readonly string[] {
  if (recorder.launchedInQuarantine(id))
    return recorder
      .madeMemberBeforeStop(id, oldInstanceId)
      .map((action) => `I3: ${opId} had ${action} done to the seed ${id} before ${oldInstanceId} had stopped`);
  return recorder.stoppedBeforeLaunch(oldInstanceId, id)
    ? []
    : [`I3: ${opId} launched ${id} before ${oldInstanceId} had stopped`];
}

/** I2: no two instances serve one member at the same time. */
export function servingTwice(serving: readonly Serving[]): string[] {
  return serving.flatMap((one, index) =>
    serving.slice(index + 1).flatMap((other) => {
      if (one.member !== other.member || one.instanceId === other.instanceId) return [];
      const togetherS = Math.min(one.toS, other.toS) - Math.max(one.fromS, other.fromS);
      return togetherS > CLOCK_GRAIN_S
        ? [`I2: ${one.instanceId} and ${other.instanceId} both served ${one.member} for ${togetherS.toFixed(2)} s`]
        : [];
    }),
  );
}

/** I6: once settled, the address is on the activated instance. */
function addressAstray(lab: Lab, member: MemberId): string[] {
  const { instanceId, allocationId } = lab.incumbent(member);
  const { region } = lab.sim.core;
  const networkInterfaceId = region.addresses.get(allocationId ?? '')?.networkInterfaceId ?? null;
  const holder =
    networkInterfaceId === null ? null : region.networkInterfaces.get(networkInterfaceId)?.attachment?.instanceId;
  return holder === instanceId
    ? []
    : [`I6: the address of ${member} is on ${holder ?? 'nothing'}, not on ${instanceId}`];
}
