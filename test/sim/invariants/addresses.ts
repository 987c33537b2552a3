import type { CallEvent } from '@understudy/cloud-sim';
import { type MemberId, TAG } from '@understudy/shared';
import type { Happening } from '../cluster/happening.ts';
import { OPERATOR } from '../cluster/operators.ts';
import type { World } from '../cluster/world.ts';
import type { MakeWatcher, Report, Watcher } from './invariant.ts';

/** I6, as far as it can be seen at once: an address is given to the activated instance only, and taken from nobody but the one it replaces. */
class Addresses implements Watcher {
  readonly #world: World;
  readonly #report: Report;
  /** Addresses a person has put on something of their own. */
  readonly #borrowed = new Set<string>();

  constructor(world: World, report: Report) {
    this.#world = world;
    this.#report = report;
  }

  witness(happening: Happening): void {
    if (happening.kind !== 'cloud' || happening.event.kind !== 'call' || !happening.event.executed) return;
    const { event } = happening;
    if (event.action !== 'AssociateAddress' && event.action !== 'DisassociateAddress') return;
    if (event.reader !== OPERATOR) {
      this.#notStolen(event);
      if (event.action === 'AssociateAddress') this.#wellGiven(String(event.input['AllocationId']));
    }
    this.#note();
  }

  #note(): void {
    for (const { id } of this.#world.cloud.core.world.addresses.all()) {
      if (this.#world.holderOf(id) === this.#world.bystanderOf(id)) this.#borrowed.add(id);
      else this.#borrowed.delete(id);
    }
  }

  #notStolen(event: CallEvent): void {
    for (const id of this.#borrowed)
      if (this.#world.holderOf(id) !== this.#world.bystanderOf(id))
        this.#report('I6', `${event.action} took ${id} from ${this.#world.bystanderOf(id)}, where a person had put it`);
  }

  #wellGiven(allocationId: string): void {
    const holder = this.#world.holderOf(allocationId);
    const tags = holder === null ? undefined : this.#world.cloud.core.world.instances.get(holder)?.tags;
    const member: MemberId = `${tags?.[TAG.group] ?? ''}/${tags?.[TAG.member] ?? ''}`;
    const active = this.#world.activeInstanceOf(member);
    if (holder !== null && holder !== active)
      this.#report('I6', `${allocationId} was given to ${holder}, but ${member} is ${active ?? 'nobody'}`);
  }
}

export const watchAddresses: MakeWatcher = (world, report) => new Addresses(world, report);
