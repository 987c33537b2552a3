import type { HandBackResource, HandBackView } from '@understudy/shared';
import type { HandBackFacts } from './facts.ts';

type Note = HandBackView['notes'][number];

const some = (is: boolean, code: string, text: string): readonly Note[] => (is ? [{ code, text }] : []);

/** Moves whose ids stay, so that code need not take anything over. */
function movesInPlace({ taken }: HandBackFacts): readonly Note[] {
  const moved = new Set(taken.flatMap(({ moved: items = [] }) => items.map(({ move }) => move)));
  return [
    ...some(
      moved.has('record'),
      'RecordsRewritten',
      'Route 53 records have the address of the instance that serves now: code that names the old address would put it back. Refer to the instance, or write the new address',
    ),
    ...some(
      moved.has('target'),
      'TargetsRegistered',
      'target groups have the instance that serves now: to register it once more changes nothing, to take the old one out neither',
    ),
    ...some(
      moved.has('assigned'),
      'AddressesAssigned',
      'private addresses or prefixes are assigned to the interface of the instance that serves now',
    ),
  ];
}

/** What a person should know before anything is taken over. */
export function notesOf(facts: HandBackFacts, resources: readonly HandBackResource[]): readonly Note[] {
  const { active, retained, before, activeInstanceId, earlier, taken } = facts;
  const [instance] = resources;
  if (instance?.fate === 'kept')
    return [
      {
        code: 'NothingToHandBack',
        text: `${instance.was} is the instance that was there before: it stays in its code, as it is`,
      },
    ];
  const unknown = resources.filter(({ fate }) => fate === 'unknown').map(({ was }) => was);
  return [
    ...some(
      activeInstanceId !== null && active === null,
      'SuccessorNotSeen',
      `EC2 does not show ${activeInstanceId ?? ''}: its disks and interfaces are not known`,
    ),
    ...some(
      retained === null && before === null,
      'PredecessorNotSeen',
      `neither EC2 nor an inventory history shows ${instance?.was ?? ''} as it was: what drifted is not known, nor which stack made it`,
    ),
    ...some(
      retained !== null && before === null && (taken[0]?.undo?.movedVolumeIds.length ?? 0) > 0,
      'SeenAfterwards',
      'the old instance is seen as it is now, without what has moved away from it',
    ),
    ...some(
      unknown.length > 0 && active !== null,
      'PartsUnknown',
      `what takes the place of ${unknown.join(', ')} cannot be told: its device is not known any more`,
    ),
    ...some(
      earlier.length > 0,
      'EarlierRecoveries',
      `${earlier.length} earlier ones are on the books: where they were not handed back, name the first of them (--from-recovery ${earlier[0]?.opId ?? ''})`,
    ),
    ...movesInPlace(facts),
  ];
}
