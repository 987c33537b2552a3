import type { Fault } from '../faults/fault.ts';
import type { PlantedBug } from './planted-bug.ts';

const crash: Fault = { id: 'crash', kind: 'guest-crash', when: { atMs: 45_000 }, forMs: 0, member: 'm1' };
const released: Fault = {
  ...{ id: 'release', kind: 'operator-releases-address', when: { stage: 'capture', nth: 1, afterMs: 0 } },
  ...{ forMs: 60_000, member: 'struck' },
};
const SHORT = 0.01;
const plain = { seed: 1, days: SHORT, members: 2, faults: [[crash]] };

/** Rules S4 to S8, S12 and S14: the order of the steps, and what makes a repeated call harmless. */
export const RECOVERING_BUGS: readonly PlantedBug[] = [
  {
    name: 'fence-not-observed',
    rule: 'S4',
    story: 'the answer to the Stop is taken for its effect',
    file: 'recovery/src/core/fence-decision.ts',
    find: "if (seen.state === 'stopped') {",
    replace:
      "if (seen.state !== null) {\n    return { kind: 'fenced', how: 'stopped' };\n  }\n  if (seen.state === 'stopped') {",
    caughtBy: ['I3'],
    run: plain,
  },
  {
    name: 'foreign-answers-believed',
    rule: 'S18',
    story: 'an answer that is not EC2’s is what the SDK makes of it: lists without anything in them, and done',
    file: 'aws/src/ec2/ec2-caller.ts',
    find: 'throw mapEc2Error(error, { action, mutating });',
    replace:
      "if ((error as Error).name === 'ForeignAnswer' && action !== 'RunInstances') return rawOf(new Proxy({}, { get: (_, name) => (String(name).endsWith('s') ? [] : undefined) }));\n      throw mapEc2Error(error, { action, mutating });",
    caughtBy: ['I1', 'I10', 'I7'],
    run: {
      ...plain,
      faults: [
        [
          crash,
          {
            ...{ id: 'foreign', kind: 'api-foreign-answer', when: { stage: 'launch', nth: 1, afterMs: 0 } },
            ...{ forMs: 200_000, action: '*', times: 1_000, applied: true },
          },
        ],
      ],
    },
  },
  {
    name: 'capture-before-the-fence',
    rule: 'S4',
    story: 'snapshots are taken early to save time, while the old instance still writes',
    file: 'recovery/src/volumes/snapshot.ts',
    find: "{ step: CAPTURE, needs: () => ['fence'] };",
    replace: '{ step: CAPTURE, needs: () => [] };',
    caughtBy: ['I3'],
    run: plain,
  },
  {
    name: 'random-token',
    rule: 'S6',
    story: 'every call has a fresh ClientToken',
    file: 'aws/src/ec2/ec2-cloud.ts',
    find: "const answer = await this.call('RunInstances', { ...request }, options);",
    replace:
      "const count = ((globalThis as Record<string, unknown>)['plantedCount'] as number | undefined) ?? 0;\n    (globalThis as Record<string, unknown>)['plantedCount'] = count + 1;\n    const answer = await this.call('RunInstances', { ...request, ClientToken: `${request.ClientToken.slice(0, 50)}${count}` }, options);",
    caughtBy: ['I1'],
    run: {
      ...plain,
      faults: [
        [
          crash,
          {
            id: 'lost',
            kind: 'api-lost-request',
            when: { atMs: 40_000 },
            forMs: 600_000,
            action: 'RunInstances',
            times: 1,
          },
        ],
      ],
    },
  },
  {
    name: 'next-attempt-beside-the-last',
    rule: 'S14',
    story: 'a replacement that fails verification is left running while the next one is launched',
    file: 'recovery/src/steps/revoke.ts',
    find: 'if (!memory.instanceGone && request.instanceId !== null) {',
    replace:
      "if (request.instanceId !== null) return { kind: 'done', result: { instanceTerminated: true, permitGone: true } };\n      if (!memory.instanceGone && request.instanceId !== null) {",
    caughtBy: ['I1'],
    run: {
      ...plain,
      faults: [[crash, { id: 'spoil', kind: 'spoiled-replacement', when: { atMs: 40_000 }, forMs: 900_000, count: 1 }]],
    },
  },
  {
    name: 'permit-not-seen-gone',
    rule: 'S7',
    story: 'the next zone is tried although a launch in the last one may still land',
    file: 'recovery/src/steps/revoke.ts',
    find: 'return endPermit(run, attempt, memory, frozen, last);',
    replace: "return { kind: 'done', result: { instanceTerminated: request.instanceId !== null, permitGone: true } };",
    caughtBy: ['I1'],
    run: {
      ...plain,
      faults: [
        [
          crash,
          {
            id: 'late',
            kind: 'api-late-landing',
            when: { atMs: 40_000 },
            forMs: 900_000,
            action: 'RunInstances',
            times: 1,
            byMs: 9_000,
          },
          { id: 'full', kind: 'no-capacity', when: { stage: 'launch', nth: 1, afterMs: 0 }, forMs: 7_500, zone: 0 },
        ],
      ],
    },
  },
  {
    name: 'address-before-activation',
    rule: 'S8',
    story: 'the address is moved as soon as the replacement runs',
    file: 'recovery/src/strategies/move-rows.ts',
    find: "items: [item], needs: () => ['activate', ...before] };",
    replace: 'items: [item], needs: (n) => [`launch-${n}`, ...before] };',
    caughtBy: ['I6', 'I0'],
    run: plain,
  },
  {
    name: 'address-taken-from-anybody',
    rule: 'S12',
    story: 'whoever holds the address loses it',
    file: 'recovery/src/core/elastic-ip-move.ts',
    find: 'if (!isOnFenced(seen, want)) {',
    replace: "if (seen.instanceId === 'nobody') {",
    caughtBy: ['I6'],
    run: {
      ...plain,
      faults: [
        [
          crash,
          {
            id: 'borrow',
            kind: 'operator-moves-address',
            when: { stage: 'capture', nth: 1, afterMs: 0 },
            forMs: 600_000,
            member: 'm1',
          },
        ],
      ],
    },
  },
  {
    name: 'replacement-watched-by-nobody',
    rule: 'S20',
    story: 'whoever has an open recovery is left to it, also when only its chores are left',
    file: 'recovery/src/core/activated.ts',
    find: 'if (!intent || hasActivated(intent, activations.get(member)?.record)) return null;',
    replace: 'if (!intent || activations.size < 0) return null;',
    caughtBy: ['I10'],
    run: {
      ...plain,
      faults: [
        [
          crash,
          // It stays where a person has put it, so the first recovery never ends by itself.
          {
            id: 'keep',
            kind: 'operator-keeps-address',
            when: { stage: 'address', nth: 1, afterMs: 0 },
            forMs: 5_000,
            member: 'struck',
          },
          { id: 'again', kind: 'guest-crash', when: { atMs: 600_000 }, forMs: 0, member: 'm1' },
        ],
      ],
    },
  },
  {
    name: 'released-address-awaited',
    rule: 'S20',
    story: 'that an address does not exist any more is one more refusal: a recovery waits for it for ever',
    file: 'recovery/src/identity/elastic-ip.ts',
    find: 'last.error?.upstreamCode === RELEASED && isBelieved(run, memory))',
    replace: "last.error?.upstreamCode === RELEASED && allocationId === '')",
    caughtBy: ['I6'],
    run: { ...plain, faults: [[crash, released]] },
  },
  {
    name: 'released-address-not-told',
    rule: 'S20',
    story: 'a recovery that has lost an address is closed as if nothing was missing',
    file: 'recovery/src/core/history.ts',
    find: "typeof result?.lost === 'string' ?",
    replace: "result?.lost === '' ?",
    caughtBy: ['I6'],
    run: { ...plain, faults: [[crash, released]] },
  },
  {
    name: 'nothing-is-collected',
    rule: 'I7',
    story: 'snapshots and images of finished recoveries stay for ever',
    file: 'recovery/src/core/collect.ts',
    find: 'one.afterWallMs <= nowWallMs',
    replace: 'one.afterWallMs <= 0 * nowWallMs',
    caughtBy: ['I7'],
    run: plain,
  },
  {
    name: 'replacement-not-verified',
    rule: 'S8',
    story: 'a replacement is activated as soon as EC2 says that it runs',
    file: 'recovery/src/core/verify-progress.ts',
    find: "if (heartbeat === null) return wait('waiting for the first heartbeat of the replacement');",
    replace: "if (heartbeat === null) return { kind: 'passed' };",
    caughtBy: ['I10'],
    run: {
      ...plain,
      faults: [[crash, { id: 'spoil', kind: 'spoiled-replacement', when: { atMs: 40_000 }, forMs: 900_000, count: 1 }]],
    },
  },
  {
    name: 'recoveries-not-run',
    rule: 'S5',
    story: 'an intent is written, and nobody picks it up',
    file: 'coordinator/src/leader/decision-pass.ts',
    find: 'runs.sync(term, view.records, (member) => !view.isBlocked(member));',
    replace: 'runs.sync(term, view.records, () => false);',
    caughtBy: ['I10'],
    run: plain,
  },
];
