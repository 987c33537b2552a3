import { computed } from '@preact/signals';
import type { FleetObserver } from '@understudy/shared/browser';
import { pauseAct } from '../model/commands.ts';
import { type Group, groupsOf, matches } from '../model/fleet.ts';
import { commandOf } from '../model/place.ts';
import { fleet, members, search, status } from '../store.ts';
import { AttentionList } from './attention-list.tsx';
import { ActButton } from './act-dialog.tsx';
import { OpenRecovery } from './recovery.tsx';
import { CopyCommand, SectionHead } from './small.tsx';
import { Tile } from './tile.tsx';

const groups = computed(() => {
  const wanted = search.value.trim();
  return groupsOf(wanted === '' ? members.value : members.value.filter((one) => matches(one, wanted)));
});

const NO_OBSERVERS: readonly FleetObserver[] = [];
let shownObservers = NO_OBSERVERS;
const place = (list: readonly FleetObserver[]): string =>
  list.map(({ coordinatorId, az }) => `${coordinatorId} ${az}`).join();
/** The columns of every tile. It keeps its identity while the coordinators are the same. */
const observers = computed(() => {
  const next = fleet.value?.view.observers ?? NO_OBSERVERS;
  if (place(next) !== place(shownObservers)) shownObservers = next;
  return shownObservers;
});

function GroupOfTiles({ group }: { readonly group: Group }) {
  const unwell = group.members.length - group.well;
  const counts = unwell === 0 ? `${group.well} well` : `${group.well} of ${group.members.length} well`;
  return (
    <section class="group" aria-labelledby={`group-${group.name}`}>
      <div class="section-head">
        <h2 id={`group-${group.name}`}>{group.name}</h2>
        <span class="note">{counts}</span>
        <ActButton act={pauseAct(`group/${group.name}`)} label="Pause group" />
      </div>
      <div class="tiles">
        {group.members.map((member) => (
          <Tile key={member.member} member={member} observers={observers.value} />
        ))}
      </div>
    </section>
  );
}

function Recoveries() {
  const open = status.value?.recoveries ?? [];
  if (open.length === 0) return null;
  return (
    <section aria-label="Running recoveries">
      <SectionHead title="Running recoveries" note={String(open.length)} />
      {open.map((one) => (
        <OpenRecovery key={one.opId} open={one} />
      ))}
    </section>
  );
}

function Search() {
  return (
    <label class="search">
      <span class="only-heard">Search members</span>
      <input
        id="search"
        type="search"
        placeholder="Search members: name, instance, zone, verdict"
        value={search.value}
        onInput={(event) => {
          search.value = event.currentTarget.value;
        }}
      />
      <kbd aria-hidden="true">/</kbd>
    </label>
  );
}

/** From this many members on, tiles out of sight are not laid out. */
const MANY = 300;

/** The whole fleet: what needs eyes first, then every group. */
export function Overview() {
  const shown = groups.value;
  return (
    <>
      <AttentionList />
      <Recoveries />
      <div class="tools">
        <Search />
        <CopyCommand command={commandOf({ page: 'fleet' })} />
        <ActButton act={pauseAct('global')} label="Pause everything" />
      </div>
      <div class={members.value.length >= MANY ? 'groups many' : 'groups'}>
        {shown.map((group) => (
          <GroupOfTiles key={group.name} group={group} />
        ))}
      </div>
      {shown.length === 0 && members.value.length > 0 ? <p class="empty">No member fits “{search.value}”.</p> : null}
      {members.value.length === 0 && fleet.value ? (
        <p class="empty">
          No members are enrolled yet. An instance with the tags understudy:group and understudy:member becomes one.
        </p>
      ) : null}
    </>
  );
}
