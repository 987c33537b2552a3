import { placeText, secretPlaceOf } from '@understudy/shared';
import { masterFingerprint } from '../../keys/master-key.ts';
import { check } from '../check.ts';
import type { CoordinatorHost } from '../coordinator-host.ts';
import { type Finding, fault, note, ok, warning } from '../finding.ts';

export interface KeyFacts {
  /** Key id → fingerprint of the file here. */
  readonly own: ReadonlyMap<number, string>;
  /** Coordinator → key id → fingerprint. Null: it did not say. */
  readonly others: ReadonlyMap<string, ReadonlyMap<number, string> | null>;
}

const REMEDY = 'put the same master secret on every coordinator (docs/key-rotation.md)';

/** Whether every coordinator holds the same master secrets. Pure. */
export function judgeKeys({ own, others }: KeyFacts): readonly Finding[] {
  if (others.size === 0) return [note('no coordinator runs whose keys could be compared with those here')];
  return [...others].map(([who, keys]) => {
    if (keys === null) return note(`${who} does not say which keys it accepts (a token may be wanted)`);
    const different = [...own].filter(([id, fingerprint]) => keys.has(id) && keys.get(id) !== fingerprint);
    if (different.length > 0)
      return fault(
        `${who} holds another secret for key id ${different.map(([id]) => id).join(', ')}: one of the two hears nobody`,
        REMEDY,
        'understudy keys status',
      );
    const missing = [...own.keys()].filter((id) => !keys.has(id));
    if (missing.length > 0)
      return warning(`${who} does not accept key id ${missing.join(', ')}`, REMEDY, 'understudy keys status');
    return ok(`${who} holds the same keys`);
  });
}

/** One that cannot be read in its store is told by another check. */
const ownKeys = (
  keys: CoordinatorHost['config']['keys'],
  stored: Awaited<ReturnType<CoordinatorHost['storedKeys']>>,
): KeyFacts['own'] =>
  new Map(
    keys.flatMap((key): [number, string][] => {
      if (key.file !== undefined) return [[key.id, masterFingerprint(key.file, key.id)]];
      const place = secretPlaceOf(key);
      const found = place === null ? undefined : stored.get(placeText(place));
      return found?.kind === 'read' ? [[key.id, found.fingerprint]] : [];
    }),
  );

export const keys = check(
  'keys',
  async ({ config, peers, storedKeys }: CoordinatorHost): Promise<KeyFacts> => ({
    own: ownKeys(config.keys, await storedKeys()),
    others: new Map(
      (await peers()).map(({ coordinatorId, keys: said }) => [
        coordinatorId,
        said === null ? null : new Map(said.accepted.map(({ id, fingerprint }) => [id, fingerprint])),
      ]),
    ),
  }),
  judgeKeys,
);
