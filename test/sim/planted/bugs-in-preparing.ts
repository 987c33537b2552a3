import type { Fault } from '../faults/fault.ts';
import type { PlantedBug } from './planted-bug.ts';

const crash: Fault = { id: 'crash', kind: 'guest-crash', when: { atMs: 45_000 }, forMs: 0, member: 'm1' };
/** Suspect for some seconds, and well again. */
const nap: Fault = { id: 'nap', kind: 'machine-pause', when: { atMs: 45_000 }, forMs: 14_000, member: 'm1' };
const making = { seed: 1, days: 0.01, members: 2, way: 'reattach', makes: true } as const;

/** S31, where something is made for a member that is only suspect. */
export const PREPARING_BUGS: readonly PlantedBug[] = [
  {
    name: 'seed-with-the-name-of-the-member',
    rule: 'S31',
    story: 'the seed is the member’s before it has its disks: it is launched with all of its tags',
    file: 'recovery/src/core/launch-request.ts',
    find: 'if (isInQuarantine(intent.plan, attempt))',
    replace: 'if (isInQuarantine(intent.plan, attempt + 1))',
    caughtBy: ['I14'],
    run: { ...making, faults: [[nap]] },
  },
  {
    name: 'drop-under-the-same-name',
    rule: 'S31',
    story: 'what was made is dropped, and a recovery that begins later may have its name and its tokens',
    file: 'coordinator/src/leader/preparation-keeper.ts',
    find: 'return { ...raised, puts: [put, ...raised.puts] };',
    replace: 'return { ...raised, puts: [put] };',
    caughtBy: ['I14'],
    run: { ...making, faults: [[nap]] },
  },
  {
    name: 'dropped-seed-that-is-not-seen-terminated',
    rule: 'S31',
    story: 'a stopped machine harms nobody: once its permit is gone the record of it can go',
    file: 'recovery/src/preparation/preparation-run.ts',
    find: 'await endOpenAttempt(run, drive, record.dropped.why);',
    replace: '',
    also: {
      file: 'recovery/src/preparation/remove-made.ts',
      find: 'tags[TAG.preparedFor] !== undefined && tags[TAG.member] === undefined && state',
      replace: "tags[TAG.preparedFor] === 'nobody' && tags[TAG.member] === undefined && state",
    },
    caughtBy: ['I7'],
    run: { ...making, faults: [[nap]] },
  },
  {
    name: 'take-over-of-another-launch',
    rule: 'S31',
    story: 'a seed is a seed: whichever was launched becomes the member, also in other security groups',
    file: 'recovery/src/core/preparation.ts',
    find: 'return own !== null && own === asMade ? plan : null;',
    replace: 'return own !== null && asMade !== null ? plan : null;',
    also: {
      file: 'coordinator/src/leader/preparation-begin.ts',
      find: "makes.includes('seed') ? inQuarantine(result.plan) : result.plan;",
      replace: "makes.includes('seed') ? inQuarantine({ ...result.plan, securityGroupIds: [] }) : result.plan;",
    },
    caughtBy: ['I14'],
    run: { ...making, faults: [[crash]] },
  },
  {
    name: 'recovery-that-does-not-know-of-its-preparation',
    rule: 'S31',
    story: 'a recovery begins by its own plan, whatever was begun under its name',
    file: 'coordinator/src/leader/intent-writer.ts',
    find: '...(preparation ? [] : [this.#noPreparation(opId)])',
    replace: '',
    also: {
      file: 'coordinator/src/leader/preparation-keeper.ts',
      find: "if (!stored) return { kind: 'none' };",
      replace: "if (!stored || stored.record.ordinal >= 0) return { kind: 'none' };",
    },
    caughtBy: ['I14'],
    run: { ...making, faults: [[crash]] },
  },
  {
    name: 'place-that-is-kept-after-the-answer',
    rule: 'S31',
    story: 'EC2 has shown that there is room: that is all that was asked, and the place is forgotten',
    file: 'recovery/src/steps/reserve.ts',
    find: 'if (noted.reservationId !== null) return giveBack(run, frozen, noted.reservationId, last, memory);',
    replace: "if (noted.reservationId !== null) return nothing({ ...frozen, noted: null, sends: {} }, memory, 'room');",
    also: [
      {
        file: 'recovery/src/preparation/remove-made.ts',
        find: 'if (entry === null) return [];',
        replace: 'if (entry !== null) return [];',
      },
      { file: 'recovery/src/core/collect.ts', find: 'gone.size > 0 || [...finished', replace: '[...finished' },
    ],
    caughtBy: ['I7'],
    run: { ...making, way: 'snapshots', faults: [[nap]] },
  },
];
