import type { Fault } from '../faults/fault.ts';
import type { PlantedBug } from './planted-bug.ts';

const crash: Fault = { id: 'crash', kind: 'guest-crash', when: { atMs: 45_000 }, forMs: 0, member: 'm1' };
const run: PlantedBug['run'] = { seed: 1, days: 0.01, members: 2, faults: [[crash]], follows: true };

/** S32, where a predecessor is ended before its successor runs. */
export const ENDING_BUGS: readonly PlantedBug[] = [
  {
    name: 'terminate-before-the-data-is-secured',
    rule: 'S32',
    story: 'the predecessor is ended as soon as it is fenced: its snapshots go on without it',
    file: 'recovery/src/strategies/vacate-rows.ts',
    find: '{ step: VACATE, needs: () => secured }',
    replace: "{ step: VACATE, needs: () => secured.slice(0, 1).filter((one) => one === 'fence') }",
    also: {
      file: 'recovery/src/steps/vacate.ts',
      find: 'const missing = await unsecured(run);',
      replace: 'const missing = ((await unsecured(run)) ?? null) && null;',
    },
    caughtBy: ['I12'],
    run,
  },
  {
    name: 'terminate-that-deletes-a-volume',
    rule: 'S32',
    story: 'the snapshots are complete, so nobody needs what goes with the predecessor',
    file: 'recovery/src/core/predecessor.ts',
    find: 'return deviceNames.length + interfaces.length > 0 ?',
    replace: 'return deviceNames.length + interfaces.length < 0 ?',
    caughtBy: ['I12'],
    run,
  },
  {
    name: 'launch-beside-the-predecessor',
    rule: 'S32',
    story: 'the permit is made meanwhile, and gets the address as soon as that is free',
    file: 'recovery/src/strategies/vacate-rows.ts',
    find: 'followingAddress(plan) ? [VACATE.name] : []',
    replace: 'followingAddress(plan) ? [VACATE.name].slice(1) : []',
    also: {
      file: 'recovery/src/core/launch-request.ts',
      find: '...(address !== null && { privateIp: address }),',
      replace: "...(address === '' && { privateIp: address }),",
    },
    caughtBy: ['I3'],
    run,
  },
];
