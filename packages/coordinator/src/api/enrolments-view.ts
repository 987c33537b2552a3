import type { EnrolmentsView } from '@understudy/shared';
import type { KeyEnrolment } from '../leader/key-enrolment.ts';
import type { ClusterRecords } from '../store/cluster-records.ts';

/** Enough of a public key to tell two apart. */
const NAMING_CHARACTERS = 16;

/** Who has enrolled by identity, by member; who was refused, the newest first. */
export function enrolmentsView(
  { enrolments, activations }: Pick<ClusterRecords, 'enrolments' | 'activations'>,
  desk: Pick<KeyEnrolment, 'isOn' | 'refusals'>,
): EnrolmentsView {
  const all = [...enrolments.values()].map(({ record, modRevision }) => {
    const { member, instanceId, address, publicKey, keyId, opId, atWallMs } = record;
    return {
      ...{ member, instanceId, address, keyId, opId, atWallMs, revision: modRevision },
      publicKey: publicKey.slice(0, NAMING_CHARACTERS),
      activated: activations.get(member)?.record.instanceId === instanceId,
    };
  });
  return {
    enabled: desk.isOn,
    enrolments: all.toSorted((a, b) => (a.member < b.member ? -1 : 1)),
    refused: desk
      .refusals()
      .toReversed()
      .map((one) => ({ ...one })),
  };
}
