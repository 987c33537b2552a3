import { commandsFor, type HoldReason, type StatusView, WAYS_OUT } from '@understudy/shared/browser';

/** Something a person should look at. The worst come first. */
export interface Attention {
  readonly key: string;
  readonly kind: 'hold' | 'pause' | 'problem' | 'request';
  /** A word or two: the reason, the code, the scope. */
  readonly label: string;
  readonly text: string;
  /** What a person can do. Null: nothing to say. */
  readonly remedy: string | null;
  readonly commands: readonly string[];
  readonly member: string | null;
  readonly scope: string | null;
  readonly sinceWallMs: number | null;
  readonly untilWallMs: number | null;
}

const isHoldReason = (reason: string): reason is HoldReason => Object.hasOwn(WAYS_OUT, reason);

const NOBODY = { member: null, scope: null, sinceWallMs: null, untilWallMs: null, commands: [], remedy: null };

function holdsOf({ holds }: StatusView): readonly Attention[] {
  return holds.map(({ member, reason, text, sinceWallMs, untilWallMs }) => ({
    ...NOBODY,
    ...{ key: `hold ${member}`, kind: 'hold' as const, label: reason, text, member, untilWallMs },
    remedy: isHoldReason(reason) ? `${WAYS_OUT[reason].means}: ${WAYS_OUT[reason].act}` : null,
    commands: isHoldReason(reason) ? commandsFor(reason, member) : [],
    sinceWallMs: sinceWallMs === 0 ? null : sinceWallMs,
  }));
}

/** `global`, `group/db` or `member/db/one`, for people. */
export const scopeText = (scope: string): string => (scope === 'global' ? 'everything' : scope.replace('/', ' '));

function pausesOf({ pauses }: StatusView): readonly Attention[] {
  return pauses.map(({ scope, who, why, untilWallMs, members }) => ({
    ...NOBODY,
    ...{ key: `pause ${scope}`, kind: 'pause' as const, label: scopeText(scope), scope },
    text: `Paused by ${who}: ${why}`,
    remedy: `${members ?? 'Its'} ${members === 1 ? 'member is' : 'members are'} watched and not replaced`,
    untilWallMs: untilWallMs ?? null,
  }));
}

function problemsOf({ problems }: StatusView): readonly Attention[] {
  return problems.map(({ code, text, remedy }, index) => ({
    ...NOBODY,
    ...{ key: `problem ${code} ${index}`, kind: 'problem' as const, label: code, text },
    remedy: remedy === 'none' ? null : remedy,
  }));
}

function requestsOf({ requests }: StatusView): readonly Attention[] {
  return requests.map(({ member, kind, by, why, atWallMs }) => ({
    ...NOBODY,
    ...{ key: `request ${member}`, kind: 'request' as const, label: kind, member, sinceWallMs: atWallMs },
    text: `${by} asked for ${kind} of ${member}: ${why}. It is not carried out yet.`,
  }));
}

/** Holds, then problems, then what was asked for, then pauses. */
export const attentionOf = (status: StatusView): readonly Attention[] => [
  ...holdsOf(status),
  ...problemsOf(status),
  ...requestsOf(status),
  ...pausesOf(status),
];
