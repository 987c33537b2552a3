import {
  type AuditView,
  type DrainsView,
  groupOf,
  type HeldView,
  type MemberId,
  type PausesView,
  policyIn,
  type PolicyView,
  type WallMs,
} from '@understudy/shared';
import { isDrainInForce } from '../policy/drains.ts';
import type { ClusterState } from '../store/cluster-state.ts';
import { heldBy } from './record-problems.ts';

/** The pauses in force, each with the revision under which it can be ended. */
export function pausesView(view: ClusterState, coordinatorId: string, nowWallMs: WallMs): PausesView {
  const { records, revision } = view;
  const pauses = view.pausesInForce(nowWallMs).map((pause) => {
    const { scope, who, why, untilWallMs } = pause;
    const stored = records.pauses.get(scope);
    return {
      ...{ scope, who, why, untilWallMs, sinceWallMs: stored?.record.sinceWallMs ?? null },
      revision: stored?.modRevision ?? unreadableRevision(view, why),
      members: heldBy(view, pause, nowWallMs),
    };
  });
  return { coordinatorId, revision, pauses };
}

/** An unreadable pause says what is wrong with it, as its record does. */
const unreadableRevision = ({ records }: ClusterState, text: string): number =>
  [...records.unreadable.values()].find((one) => one.text === text)?.modRevision ?? 0;

export function drainsView(view: ClusterState, leaderId: string | null, nowWallMs: WallMs): DrainsView {
  const { coordinators, drains } = view.records;
  return {
    present: [...coordinators.values()].map(({ record: { coordinatorId, az } }) => ({
      ...{ coordinatorId, az, leader: coordinatorId === leaderId },
    })),
    drains: [...drains.values()].map(({ record, modRevision }) => ({
      ...{ coordinatorId: record.coordinatorId, who: record.who, why: record.why, sinceWallMs: record.sinceWallMs },
      ...{ untilWallMs: record.untilWallMs, revision: modRevision, inForce: isDrainInForce(record, nowWallMs) },
    })),
  };
}

/** The hold of a member. Null: it has none in etcd. */
export function heldView({ records }: ClusterState, member: MemberId): HeldView | null {
  const hold = records.holds.get(member);
  if (!hold) return null;
  const { reason, text, sinceWallMs, untilWallMs, opId } = hold.record;
  const releasable = opId !== null && records.intents.get(member)?.record.opId === opId;
  return { member, reason, text, sinceWallMs, untilWallMs, opId, revision: hold.modRevision, releasable };
}

/** Shows every group that has members or a policy of its own. */
export function policyViews(view: ClusterState, keyOf: (group: string) => string): readonly PolicyView[] {
  const { members, groups, policies, unreadable } = view.records;
  const refusedOf = (group: string) => unreadable.get(keyOf(group))?.text ?? null;
  const names = new Set([...[...members.keys()].map(groupOf), ...groups.keys(), ...policies.keys()]);
  return [...names].sort().map((group) => ({
    group,
    revision: view.revisionOf(keyOf(group)),
    own: { ...policyIn(view.valueOf(keyOf(group))) },
    effective: { ...view.policyOf(group) },
    refused: refusedOf(group),
  }));
}

/** Newest first, from behind the entry `before`. */
export function auditView({ records }: ClusterState, limit: number, before: string | null): AuditView {
  const ids = [...records.audit.keys()].sort().reverse();
  const from = before === null ? ids : ids.filter((id) => id < before);
  const shown = from.slice(0, limit);
  const entries = shown.flatMap((id) => {
    const stored = records.audit.get(id);
    return stored ? [stored.record] : [];
  });
  return { entries, next: from.length > limit ? (shown.at(-1) ?? null) : null };
}
