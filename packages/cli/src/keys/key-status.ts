import { type KeysView, type MemberId, OperationError } from '@understudy/shared';
import { type CoordinatorClient, coordinatorClient } from '@understudy/shared/node';

/** What all coordinators say about keys, combined. */
export interface KeyStatus {
  readonly coordinators: readonly CoordinatorKeys[];
  readonly members: readonly MemberKeys[];
  /** For each id that any coordinator accepts: whether it may be taken out of `keys` everywhere. */
  readonly retirement: readonly Retirement[];
  /** What is wrong now, whatever is planned. Empty = nothing. */
  readonly problems: readonly string[];
  /** What a person should know before retiring a key. */
  readonly notes: readonly string[];
}

export interface CoordinatorKeys {
  readonly coordinatorId: string;
  /** Null: it did not answer. */
  readonly view: KeysView | null;
}

export interface MemberKeys {
  readonly member: MemberId;
  readonly instanceId: string | null;
  /**
   * Coordinator id → key id in the last heartbeat there, `retired`, or null where it was not heard.
   */
  readonly heard: Readonly<Record<string, number | 'retired' | null>>;
  readonly userDataKeyId: number | null;
}

export interface Retirement {
  readonly id: number;
  readonly safe: boolean;
  /** Why it is not safe. Empty when it is. */
  readonly because: readonly string[];
}

const SHOWN_MAX = 5;
const some = (names: readonly string[]): string =>
  names.length > SHOWN_MAX
    ? `${names.slice(0, SHOWN_MAX).join(', ')} and ${names.length - SHOWN_MAX} more`
    : names.join(', ');
const verb = (names: readonly string[], one: string, many: string): string => (names.length === 1 ? one : many);

/**
 * Asks every coordinator that is known to the first one that answers.
 * @throws COORDINATOR_UNAVAILABLE when none answers.
 */
export async function readKeyStatus(
  urls: readonly string[],
  clientOf: (urls: readonly string[]) => CoordinatorClient = coordinatorClient,
): Promise<KeyStatus> {
  const { coordinators } = await clientOf(urls).status();
  const views = await Promise.all(
    coordinators.map(async ({ coordinatorId, httpUrl }): Promise<CoordinatorKeys> => {
      const view = await clientOf([httpUrl])
        .keys()
        .catch((error: unknown) => {
          if (error instanceof OperationError) return null;
          throw error;
        });
      return { coordinatorId, view };
    }),
  );
  return keyStatusOf(views);
}

/** Pure. */
export function keyStatusOf(coordinators: readonly CoordinatorKeys[]): KeyStatus {
  const sorted = coordinators.toSorted((a, b) => (a.coordinatorId < b.coordinatorId ? -1 : 1));
  const members = membersOf(sorted);
  const ids = idsOf(sorted);
  const retirement = ids.length < 2 ? [] : ids.map((id) => retirementOf(id, sorted, members));
  return {
    coordinators: sorted,
    members,
    retirement,
    problems: problemsOf(sorted, members),
    notes: notesOf(members, ids),
  };
}

/** The answer to "may `id` be retired?". It also answers for an id that nobody accepts. */
export const retirementAnswer = (status: KeyStatus, id: number): Retirement =>
  status.retirement.find((one) => one.id === id) ?? {
    id,
    safe: false,
    because: [
      idsOf(status.coordinators).includes(id) ? `it is the only key id there is` : `no coordinator accepts id ${id}`,
    ],
  };

const idsOf = (coordinators: readonly CoordinatorKeys[]): readonly number[] =>
  [...new Set(coordinators.flatMap(({ view }) => view?.accepted.map(({ id }) => id) ?? []))].sort((a, b) => a - b);

function membersOf(coordinators: readonly CoordinatorKeys[]): readonly MemberKeys[] {
  const members = new Map<MemberId, MemberKeys>();
  for (const { coordinatorId, view } of coordinators) {
    for (const one of view?.members ?? []) {
      const known = members.get(one.member);
      const state = one.state === 'retired' ? 'retired' : one.keyId;
      members.set(one.member, {
        member: one.member,
        instanceId: known?.instanceId ?? one.instanceId,
        heard: { ...known?.heard, [coordinatorId]: state },
        userDataKeyId: known?.userDataKeyId ?? one.userDataKeyId,
      });
    }
  }
  return [...members.values()].sort((a, b) => (a.member < b.member ? -1 : 1));
}

const fingerprintAt = ({ view }: CoordinatorKeys, id: number): string | null =>
  view?.accepted.find((one) => one.id === id)?.fingerprint ?? null;

function retirementOf(
  id: number,
  coordinators: readonly CoordinatorKeys[],
  members: readonly MemberKeys[],
): Retirement {
  const because: string[] = [];
  const note = (names: readonly string[], text: (names: readonly string[]) => string): void => {
    if (names.length > 0) because.push(text(names));
  };
  const silent = coordinators.filter(({ view }) => view === null).map((one) => one.coordinatorId);
  note(silent, (names) => `${some(names)} did not answer`);
  const using = members.filter(({ heard }) => Object.values(heard).includes(id)).map((one) => one.member);
  note(
    using,
    (names) => `${verb(names, 'member', 'members')} ${some(names)} still ${verb(names, 'uses', 'use')} id ${id}`,
  );
  const unheard = members
    .filter(({ heard }) => Object.values(heard).every((state) => typeof state !== 'number'))
    .map((one) => one.member);
  note(
    unheard,
    (names) =>
      `${verb(names, 'member', 'members')} ${some(names)} ${verb(names, 'is', 'are')} heard by nobody and may hold nothing else`,
  );
  for (const other of idsOf(coordinators).filter((one) => one !== id)) {
    const without = coordinators.filter((one) => one.view !== null && fingerprintAt(one, other) === null);
    note(
      without.map((one) => one.coordinatorId),
      (names) => `${some(names)} ${verb(names, 'does', 'do')} not know id ${other}`,
    );
    if (fingerprintsOf(coordinators, other).size > 1)
      because.push(`coordinators hold different secrets for id ${other}`);
  }
  return { id, safe: because.length === 0, because };
}

const fingerprintsOf = (coordinators: readonly CoordinatorKeys[], id: number): ReadonlySet<string> =>
  new Set(coordinators.flatMap((one) => fingerprintAt(one, id) ?? []));

function problemsOf(coordinators: readonly CoordinatorKeys[], members: readonly MemberKeys[]): readonly string[] {
  const problems: string[] = [];
  for (const { coordinatorId, view } of coordinators) {
    if (view === null) problems.push(`${coordinatorId} did not answer`);
    else if (view.refused !== null) problems.push(`${coordinatorId} refuses the keys in its files: ${view.refused}`);
  }
  for (const id of idsOf(coordinators)) {
    if (fingerprintsOf(coordinators, id).size > 1) problems.push(`coordinators hold different secrets for id ${id}`);
  }
  for (const { coordinatorId } of coordinators) {
    const lost = members.filter(({ heard }) => heard[coordinatorId] === 'retired').map((one) => one.member);
    if (lost.length > 0)
      problems.push(
        `${coordinatorId} no longer has the key of ${some(lost)}, and does not judge ${verb(lost, 'it', 'them')}`,
      );
  }
  return problems;
}

/**
 * A replacement begins with its predecessor's user data. The key kept on the root volume takes
 * precedence.
 */
function notesOf(members: readonly MemberKeys[], ids: readonly number[]): readonly string[] {
  const older = members.filter(({ userDataKeyId, heard }) => {
    const ownIds = Object.values(heard).filter((state) => typeof state === 'number');
    const isBehind = userDataKeyId !== null && ownIds.some((own) => own !== userDataKeyId);
    return isBehind || (userDataKeyId !== null && ids.length > 0 && !ids.includes(userDataKeyId));
  });
  if (older.length === 0) return [];
  const named = [...new Set(older.map((one) => one.userDataKeyId))].join(' and ');
  const names = some(older.map((one) => one.member));
  return [
    `user data of ${names} names key id ${named}: a replacement relies on the key kept on the root volume (keys.json); renew the user data at the next chance`,
  ];
}
