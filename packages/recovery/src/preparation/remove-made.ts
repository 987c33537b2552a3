import { type Cloud, type CloudCallOptions, type CloudInstance, TAG } from '@understudy/shared';
import { namedInIntents } from '../collector/books.ts';
import { CollectPass } from '../collector/collect-pass.ts';
import type { Run } from '../run.ts';
import { reservedFor } from '../steps/reserve.ts';
import { RESERVE, reservedIn } from '../steps/reserve-record.ts';
import { endReservation } from '../steps/give-place-back.ts';
import { WARM_UP } from '../steps/warm-up-record.ts';

/** Removals of one pass: the rates are for recoveries. */
const REMOVALS_MAX = 50;

interface Made {
  readonly id: string;
  readonly isShown: boolean;
  readonly remove: (cloud: Cloud, options: CloudCallOptions) => Promise<void>;
}

/**
 * Removes what carries the name of a dropped preparation, whoever has made it, beside what its
 * attempt has launched. **S** (S31) What a recovery is planned with is left to it, and waited for:
 * where a zone is lost, these snapshots may be the latest there are. In words what may be there
 * still, and is to be looked at again; null: nothing is known of, and what EC2 does not show yet is
 * found by a later look.
 * @throws LEASE_LOST, STORE_UNAVAILABLE, and the errors of EC2's reads
 */
export async function removeMade(run: Run): Promise<string | null> {
  const pass = new CollectPass(run.parts.cloud, run.term, {
    callTimeoutMs: run.settings.callTimeoutMs,
    effectsMax: REMOVALS_MAX,
  });
  const texts: string[] = [];
  const made = await lookForMade(run);
  // After the look: a plan that is made from now on finds what is removed here gone, or going.
  const named = namedInIntents((await run.parts.kv.range(run.parts.keys.intents)).entries);
  for (const { id, isShown, remove } of made) {
    if (named.has(id)) {
      texts.push(`${id} (a recovery is planned with it)`);
      continue;
    }
    const outcome = await pass.effect(remove);
    if (outcome === 'not-found' && !isShown) continue;
    const text = typeof outcome === 'object' ? outcome.text : outcome;
    run.parts.log.info('prepare.removed', { id, outcome: text });
    texts.push(`${id} (${text})`);
  }
  return texts.length === 0 ? null : `being removed: ${texts.join(', ')}`;
}

async function lookForMade(run: Run): Promise<readonly Made[]> {
  const filters = { [`tag:${TAG.op}`]: [run.record.opId] };
  const places = await reservedPlaces(run);
  const [instances, snapshots, interfaces] = await Promise.all([
    run.read((cloud, options) => cloud.describeInstances(filters, options)),
    run.read((cloud, options) => cloud.describeSnapshots(filters, options)),
    run.read((cloud, options) => cloud.describeNetworkInterfaces(filters, options)),
  ]);
  const shown = new Set(snapshots.map((one) => one.snapshotId));
  const known = run.journal.get(WARM_UP)?.result?.snapshotIds ?? [];
  return [
    ...instances.filter(isOurSeed).map(({ instanceId: id }) => ({
      ...{ id, isShown: true },
      remove: (cloud: Cloud, options: CloudCallOptions) => cloud.terminateInstance(id, options),
    })),
    ...places,
    ...[...new Set([...shown, ...known])].map((id) => ({
      ...{ id, isShown: shown.has(id) },
      remove: (cloud: Cloud, options: CloudCallOptions) => cloud.deleteSnapshot(id, options),
    })),
    ...interfaces
      .filter((one) => one.attachedInstanceId === null)
      .map(({ networkInterfaceId: id }) => ({
        ...{ id, isShown: true },
        remove: (cloud: Cloud, options: CloudCallOptions) => cloud.deleteNetworkInterface(id, options),
      })),
  ];
}

/** Asked only where one was asked for. */
async function reservedPlaces(run: Run): Promise<readonly Made[]> {
  const entry = run.journal.get(RESERVE);
  if (entry === null) return [];
  const known = reservedIn(entry);
  const shown = (await reservedFor(run)).map(({ reservationId }) => reservationId);
  return [...new Set([...shown, ...(known === null ? [] : [known])])].map((id) => ({
    ...{ id, isShown: shown.includes(id) },
    remove: (cloud: Cloud, options: CloudCallOptions) => endReservation(cloud, id, options),
  }));
}

/** Only what is in quarantine: an instance that has become a member is nobody's leftover. */
const isOurSeed = ({ state, tags }: CloudInstance): boolean =>
  tags[TAG.preparedFor] !== undefined && tags[TAG.member] === undefined && state !== 'terminated';
