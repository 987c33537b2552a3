import {
  type Cloud,
  type CloudFilters,
  errorText,
  type HandBackView,
  isOperationError,
  type Log,
  type MemberId,
  type Tags,
  type Term,
} from '@understudy/shared';
import {
  type HandBackFacts,
  handBackOf,
  type HandBackRecoveries,
  type InstanceSight,
  instanceSight,
} from '@understudy/recovery';
import { type Refused, refused } from '../commands/command.ts';
import type { ClusterState } from '../store/cluster-state.ts';

export type HandBackAnswer = { readonly kind: 'hand-back'; readonly view: HandBackView } | Refused;

/** A hand-back that somebody asks for. */
export interface HandBackAsked extends HandBackRecoveries {
  readonly member: MemberId;
  /** The old instance as an inventory saw it. Null: none has. */
  readonly before: InstanceSight | null;
}

export interface HandBackLookOptions {
  readonly cloud: Cloud;
  readonly view: ClusterState;
  readonly log: Log;
}

/** For people, who can wait: behind whatever a recovery asks. */
const CHORE = { urgency: 'chore', repeat: true } as const;

/**
 * What infrastructure code has to take over after recoveries of a member, from their records and
 * from what EC2 shows of both instances now. It reads, and does nothing else.
 */
export class HandBackLook {
  readonly #options: HandBackLookOptions;

  constructor(options: HandBackLookOptions) {
    this.#options = options;
  }

  async of(term: Term | null, asked: HandBackAsked): Promise<HandBackAnswer> {
    const { view } = this.#options;
    if (term === null || !view.isFresh())
      return refused('UNAVAILABLE', 'nobody here leads with a fresh view of etcd: ask again');
    const activation = view.records.activations.get(asked.member)?.record;
    if (!activation) return refused('MEMBER_UNKNOWN', `no member ${asked.member} is known here`);
    try {
      const told = handBackOf(await this.#facts(asked, activation.instanceId, term.signal));
      this.#note(told);
      return { kind: 'hand-back', view: told };
    } catch (error) {
      if (!isOperationError(error)) throw error;
      return refused('UNAVAILABLE', `${error.code}: ${errorText(error)}`);
    }
  }

  #note({ member, recoveries, resources, drift, isDue, seenIn }: HandBackView): void {
    const others = resources.filter(({ fate }) => fate === 'replaced').length;
    const opId = recoveries[0]?.opId ?? null;
    this.#options.log.info('handback.told', { member, opId, isDue, seenIn, others, drifted: drift.length });
  }

  async #facts(asked: HandBackAsked, activeInstanceId: string, signal: AbortSignal): Promise<HandBackFacts> {
    const { cloud } = this.#options;
    const named = asked.taken[0]?.oldInstanceId ?? activeInstanceId;
    const ids = [...new Set([named, activeInstanceId])];
    const options = { ...CHORE, signal };
    const found = await cloud.describeInstances({ 'instance-id': ids }, options);
    const sights = found.flatMap(({ raw, state }) => (state === 'terminated' ? [] : (instanceSight(raw) ?? [])));
    const sightOf = (id: string) => sights.find(({ instanceId }) => instanceId === id) ?? null;
    const parts = [...sights, ...(asked.before ? [asked.before] : [])];
    const volumeIds = parts.flatMap(({ volumes }) => volumes.map(({ id }) => id));
    const recorded = asked.taken.flatMap(({ undo }) => undo?.volumeIds ?? []);
    return {
      ...{ ...asked, activeInstanceId, retained: sightOf(named), active: sightOf(activeInstanceId) },
      tags: new Map([
        ...(await this.#volumeTags([...volumeIds, ...recorded], signal)),
        ...(await this.#interfaceTags(
          parts.flatMap(({ interfaces }) => interfaces.map(({ id }) => id)),
          signal,
        )),
      ]),
      addresses: await this.#addresses(asked, ids, signal),
    };
  }

  async #volumeTags(ids: readonly string[], signal: AbortSignal): Promise<readonly (readonly [string, Tags])[]> {
    if (ids.length === 0) return [];
    const found = await this.#options.cloud.describeVolumes(byId('volume-id', ids), { ...CHORE, signal });
    return found.map(({ volumeId, tags }) => [volumeId, tags]);
  }

  async #interfaceTags(ids: readonly string[], signal: AbortSignal): Promise<readonly (readonly [string, Tags])[]> {
    if (ids.length === 0) return [];
    const filters = byId('network-interface-id', ids);
    const found = await this.#options.cloud.describeNetworkInterfaces(filters, { ...CHORE, signal });
    return found.map(({ networkInterfaceId, tags }) => [networkInterfaceId, tags]);
  }

  /** Those on either instance, and those that the recoveries have moved. */
  async #addresses({ taken }: HandBackAsked, instanceIds: readonly string[], signal: AbortSignal) {
    const { cloud } = this.#options;
    const options = { ...CHORE, signal };
    const moved = taken.flatMap(({ moved: items = [] }) =>
      items.filter(({ move }) => move === 'address').map(({ item }) => item),
    );
    const [there, others] = [
      await cloud.describeAddresses({ 'instance-id': instanceIds }, options),
      moved.length === 0 ? [] : await cloud.describeAddresses(byId('allocation-id', moved), options),
    ];
    return [...new Map([...there, ...others].map((one) => [one.allocationId, one])).values()];
  }
}

const byId = (name: string, ids: readonly string[]): CloudFilters => ({ [name]: [...new Set(ids)] });
