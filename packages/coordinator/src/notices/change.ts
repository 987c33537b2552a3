import {
  type ActivationRecord,
  durationText,
  type FindingsRecord,
  groupOf,
  type HistoryRecord,
  type HoldRecord,
  type IntentRecord,
  type JudgementRecord,
  type MemberId,
  type NoticeKind,
  type NoticeSeverity,
  type PauseRecord,
  type Problem,
  staysInPlace,
  WAYS_OUT,
} from '@understudy/shared';

/** One change of state, as it is told to people. */
export interface Change {
  readonly kind: NoticeKind;
  readonly severity: NoticeSeverity;
  readonly group: string | null;
  readonly member: MemberId | null;
  readonly opId: string | null;
  readonly what: string;
  readonly why: string;
  readonly next: string;
}

/** A record as its writer gives it, without the stamp, or as it was read. */
type Told<T> = Omit<T, 'schemaVersion' | 'writeId' | 'writtenBy' | 'writtenAtWallMs'>;

const about = (member: MemberId) => ({ group: groupOf(member), member, opId: null });
const explain = (member: MemberId) => `understudy explain ${member}`;

const OF_VERDICT: Readonly<
  Record<JudgementRecord['verdict'], { readonly severity: NoticeSeverity; readonly next: (member: MemberId) => string }>
> = {
  alive: { severity: 'info', next: () => 'nothing: it is watched as before' },
  suspect: { severity: 'info', next: (member) => `it is looked at closely; ${explain(member)}` },
  dead: {
    severity: 'critical',
    next: (member) => `it is recovered, unless a gate holds it: ${explain(member)}`,
  },
  unknown: { severity: 'warning', next: (member) => `it would not be replaced while this is so: ${explain(member)}` },
  left: { severity: 'info', next: () => 'nothing: it was stopped on purpose, and is not replaced' },
};

/**
 * A verdict that is another one than before. Null: it is not, or it is the first one and says that
 * all is well.
 */
export function verdictChange(told: Told<JudgementRecord>, before: JudgementRecord | null): Change | null {
  const { member, verdict, reason } = told;
  if (before?.verdict === verdict || (before === null && verdict === 'alive')) return null;
  const { severity, next } = OF_VERDICT[verdict];
  const was = before === null ? '' : `, was ${before.verdict}`;
  return {
    kind: `member.${verdict}`,
    severity,
    ...about(member),
    what: `${member} is ${verdict}${was}`,
    why: reason,
    next: next(member),
  };
}

export function recoveryBegun({ member, opId, oldInstanceId, reason, plan }: Told<IntentRecord>): Change {
  const next = staysInPlace(plan)
    ? 'it is to come back on the instance it has'
    : 'its old instance is fenced first, then its disks are taken over';
  return {
    ...{ kind: 'recovery.begun', severity: 'warning', ...about(member), opId },
    what: `the recovery of ${member} began (${oldInstanceId}, by ${plan.strategy})`,
    why: reason,
    next: `${next}: understudy recoveries`,
  };
}

/** Another instance may serve from now on, or the first one of a member that is new. */
export function activationChange(told: Told<ActivationRecord>, before: ActivationRecord | null): Change | null {
  const { member, instanceId, incarnation } = told;
  if (before?.instanceId === instanceId) return null;
  if (before === null)
    return {
      ...{ kind: 'member.enrolled', severity: 'info', ...about(member) },
      what: `${member} is watched from now on (${instanceId})`,
      why: 'its tags name it, and it runs',
      next: `see that it could be recovered: ${explain(member)}`,
    };
  return {
    ...{ kind: 'recovery.activated', severity: 'info', ...about(member) },
    what: `${member} is played by ${instanceId} from now on (incarnation ${incarnation})`,
    why: `${before.instanceId} was fenced, and the replacement was found well`,
    next: 'its addresses follow, and its services are looked at',
  };
}

export function recoveryEnded(told: Told<HistoryRecord>): Change {
  const { member, opId, outcome, reason, oldInstanceId, newInstanceId, startedAtWallMs, endedAtWallMs } = told;
  const took = durationText(Math.max(0, endedAtWallMs - startedAtWallMs));
  const losses = (told.losses ?? []).map(({ text }) => text).join('; ');
  const lost = losses === '' ? '' : `; lost: ${losses}`;
  const base = { kind: 'recovery.ended', ...about(member), opId, why: reason } as const;
  if (outcome === 'abandoned')
    return {
      ...{ ...base, severity: 'critical' },
      what: `the recovery of ${member} was abandoned after ${took}${lost}`,
      next: `it may not serve: ${(told.leftAs ?? []).join('; ') || explain(member)}`,
    };
  if (outcome === 'mended')
    return {
      ...{ ...base, severity: lost === '' ? 'info' : 'warning' },
      what: `${member} is back on ${oldInstanceId} after ${took}${lost}`,
      next: `find out why it failed: understudy history ${member}`,
    };
  if (outcome === 'not-mended')
    return {
      ...{ ...base, severity: 'warning' },
      what: `${member} was not brought back this way, tried for ${took}${lost}`,
      next: `the next way is taken while it is still dead: ${explain(member)}`,
    };
  if (outcome === 'undone')
    return {
      ...{ ...base, severity: 'warning' },
      what: `the last recovery of ${member} is undone after ${took}: ${oldInstanceId} → ${newInstanceId ?? oldInstanceId}${lost}`,
      next: `what ${oldInstanceId} has written meanwhile is on its own disks, for as long as it is kept: understudy leftovers`,
    };
  return {
    ...{ ...base, severity: lost === '' ? 'info' : 'warning' },
    what: `${member} is recovered after ${took}: ${oldInstanceId} → ${newInstanceId ?? oldInstanceId}${lost}`,
    next: `find out why ${oldInstanceId} failed: understudy history ${member}; where code made it, hand it back: understudy handback ${member}`,
  };
}

export function holdBegun(told: Told<HoldRecord>, before: HoldRecord | null): Change | null {
  const { member, reason, text, opId } = told;
  if (before?.reason === reason) return null;
  const { act, commands, endsByItself } = WAYS_OUT[reason];
  const command = commands[0]?.replaceAll('MEMBER', member);
  return {
    ...{ kind: 'hold.begun', severity: endsByItself ? 'warning' : 'critical', ...about(member), opId },
    what: `${member} is held: ${reason}`,
    why: text,
    next: command === undefined ? act : `${act}: ${command}`,
  };
}

export function holdEnded({ member, reason, opId }: HoldRecord): Change {
  return {
    ...{ kind: 'hold.ended', severity: 'info', ...about(member), opId },
    what: `${member} is no longer held (${reason})`,
    why: 'its cause has passed, or a person has ended it',
    next: 'it is judged as usual',
  };
}

function ofScope(scope: string): Pick<Change, 'group' | 'member' | 'opId'> & { readonly whom: string } {
  const [kind, group = '', name = ''] = scope.split('/');
  if (kind === 'group') return { group, member: null, opId: null, whom: `group ${group}` };
  if (kind === 'member') return { ...about(`${group}/${name}`), whom: `${group}/${name}` };
  return { group: null, member: null, opId: null, whom: 'everything' };
}

export function pauseBegun({ scope, who, why, untilWallMs }: Told<PauseRecord>, nowWallMs: number): Change {
  const { whom, ...place } = ofScope(scope);
  const end = untilWallMs === null ? 'until it is ended' : `for ${durationText(Math.max(0, untilWallMs - nowWallMs))}`;
  return {
    ...{ kind: 'pause.begun', severity: 'warning', ...place },
    what: `${who} paused ${whom} ${end}`,
    why,
    next: 'it is watched, and nothing is replaced meanwhile; open recoveries go on',
  };
}

export function pauseEnded({ scope, who }: PauseRecord): Change {
  const { whom, ...place } = ofScope(scope);
  return {
    ...{ kind: 'pause.ended', severity: 'info', ...place },
    what: `the pause of ${whom} by ${who} is over`,
    why: 'it was ended',
    next: 'what has failed meanwhile is recovered',
  };
}

export function policyChange(group: string, isGone: boolean): Change {
  return {
    ...{ kind: 'policy.changed', severity: 'info', group, member: null, opId: null },
    what: isGone ? `group ${group} has no policy of its own any more` : `the policy of group ${group} was changed`,
    why: 'an operator wrote it',
    next: `understudy get policy ${group}`,
  };
}

/** Problems that the leader finds and did not find before, and those that are gone, by code. */
export function problemChanges(told: Told<FindingsRecord>, before: FindingsRecord | null): readonly Change[] {
  const place = { group: null, member: null, opId: null };
  const known = (problems: readonly Problem[]) => new Map(problems.map((one) => [one.code, one]));
  const [now, then] = [known(told.problems), known(before?.problems ?? [])];
  const begun = [...now.values()].filter(({ code }) => !then.has(code));
  const ended = [...then.values()].filter(({ code }) => !now.has(code));
  return [
    ...begun.map(
      ({ code, text, remedy }): Change => ({
        ...{ kind: 'problem.begun', severity: 'warning', ...place },
        ...{ what: code, why: text, next: remedy },
      }),
    ),
    ...ended.map(
      ({ code, text }): Change => ({
        ...{ kind: 'problem.ended', severity: 'info', ...place },
        ...{ what: `${code} is over`, why: `it was: ${text}`, next: 'nothing' },
      }),
    ),
  ];
}

export function leaderChange(leader: string, before: string | null): Change {
  return {
    ...{ kind: 'leader.changed', severity: 'info', group: null, member: null, opId: null },
    what: before === null ? `${leader} leads` : `${leader} leads, ${before} did before`,
    why: before === null ? 'nobody had led before' : `${before} stopped, lost its lease, or handed over`,
    next: 'what was begun goes on under it',
  };
}
