import { OperationError } from './errors.ts';

/** The lasting identity of what we watch: `group/name`. */
export type MemberId = `${string}/${string}`;

/** EC2 tags that make an instance a member. */
export const TAG = {
  group: 'understudy:group',
  member: 'understudy:member',
  /** opId of the recovery that made this resource. It is on everything we create. */
  op: 'understudy:op',
  /** Placement attempt number that made this resource. */
  attempt: 'understudy:attempt',
  /**
   * On what was made for a member while it was only suspect (`docs/prepare.md`): the member. It is
   * nobody's replacement, and its snapshots are no capture.
   */
  preparedFor: 'understudy:prepared-for',
  /** Number of the CreateSnapshots call, within its recovery, that made this snapshot. */
  snapshotSet: 'understudy:snapshot-set',
  /** On a replaced instance: opId of the recovery that retired it. */
  retiredBy: 'understudy:retired-by',
  /**
   * On an instance we are about to stop: opId of the recovery that fences it. It outlives our
   * records in etcd.
   */
  fencedBy: 'understudy:fenced-by',
  /**
   * ISO time at which that run of the instance began, by EC2. EC2 dates a launch anew with every
   * start, so another time means that the instance has been started since.
   */
  fencedRun: 'understudy:fenced-run',
  /** ISO time after which the collector may remove the resource. */
  retainUntil: 'understudy:retain-until',
  /**
   * On a replacement: the image that the first instance of its line was launched from, for people,
   * and for when etcd was lost. Anybody may write it who may write tags.
   */
  seedImage: 'understudy:seed-image',
  /** `true` on an instance that must never be replaced automatically. */
  protected: 'understudy:protected',
} as const;

const NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/;

export const isName = (text: string): boolean => NAME.test(text);

/**
 * @throws CONFIG_INVALID when a part is not 1-63 characters of `a-z 0-9 . _ -` starting with a
 * letter or digit.
 */
export function memberId(group: string, name: string): MemberId {
  for (const part of [group, name]) {
    if (!isName(part)) {
      throw new OperationError(
        'CONFIG_INVALID',
        `"${part}" is no group or member name: 1-63 of a-z 0-9 . _ -, first a letter or digit`,
      );
    }
  }
  return `${group}/${name}`;
}

/** @throws CONFIG_INVALID unless the text is `group/name`. */
export function parseMemberId(text: string): {
  readonly group: string;
  readonly name: string;
  readonly member: MemberId;
} {
  const [group = '', name = '', ...rest] = text.split('/');
  if (rest.length > 0) throw new OperationError('CONFIG_INVALID', `"${text}" is no member id: want group/name`);
  return { group, name, member: memberId(group, name) };
}

/**
 * The group of a member: the text before the slash. It does not check the text; see
 * {@link parseMemberId}.
 */
export const groupOf = (member: string): string => member.slice(0, member.indexOf('/'));
