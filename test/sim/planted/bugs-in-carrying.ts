import type { Fault } from '../faults/fault.ts';
import type { PlantedBug } from './planted-bug.ts';

const crash = (member: string, atMs = 45_000): Fault => ({
  id: `crash-${member}-${atMs}`,
  kind: 'guest-crash',
  when: { atMs },
  forMs: 0,
  member,
});
const run = (...faults: readonly Fault[]): PlantedBug['run'] => ({
  ...{ seed: 1, days: 0.01, members: 2, identities: true },
  faults: [[...faults]],
});

/** S12, of what members are known by beside their Elastic IPs; and their hooks. */
export const CARRYING_BUGS: readonly PlantedBug[] = [
  {
    name: 'record-written-over',
    rule: 'S12',
    story: 'a record is written over by UPSERT, whatever it says by the time the call lands',
    file: 'aws/src/route53/dns-records-over.ts',
    find: "        { Action: 'DELETE', ResourceRecordSet: old },\n        { Action: 'CREATE', ResourceRecordSet: fresh },",
    replace: "        { Action: 'UPSERT', ResourceRecordSet: { ...old, ...fresh } },",
    caughtBy: ['I6'],
    run: run(
      crash('m2'),
      {
        ...{ id: 'late', kind: 'api-late-landing', when: { atMs: 45_000 }, forMs: 900_000 },
        ...{ action: 'route53:ChangeResourceRecordSets', times: 1, byMs: 90_000 },
      },
      {
        ...{ id: 'move', kind: 'operator-moves-record', when: { stage: 'activate', nth: 1, afterMs: 2_000 } },
        ...{ forMs: 600_000, member: 'm2', to: 'elsewhere' },
      },
    ),
  },
  {
    name: 'target-not-waited-for',
    rule: 'S12',
    story: 'the recovery is closed as soon as the replacement is registered, before a check of it has passed',
    file: 'recovery/src/core/target-move.ts',
    find: "if (!waiting) return { kind: 'there' };",
    replace: "if (!waiting || shown.length > 0) return { kind: 'there' };",
    caughtBy: ['I6'],
    run: run(crash('m1')),
  },
  {
    name: 'watched-after-it-moved-on',
    rule: 'S12',
    story: 'what a recovery has moved is put back on its replacement, which was replaced since, from whoever has it',
    file: 'coordinator/src/leader/jobs/ownership.ts',
    find: 'newInstanceId !== active || view.records.intents.has(member)',
    replace: 'newInstanceId === null',
    also: {
      file: 'recovery/src/identity/elastic-ip-watch.ts',
      find: 'if (instanceId === oldInstanceId)',
      replace: 'if (instanceId !== null)',
    },
    caughtBy: ['I6'],
    // By the second one's end the first old instance is gone: it is not seen on its way out.
    run: run(crash('m1'), crash('m1', 720_000)),
  },
  {
    name: 'fence-before-its-hooks',
    rule: 'S4',
    story: 'the fence does not wait for the hooks before it',
    file: 'recovery/src/core/hook-rows.ts',
    find: "waiting(row, idsAt('before-fence'))",
    replace: "waiting(row, idsAt('on-failure').slice(1))",
    caughtBy: ['I13'],
    run: run(crash('m1')),
  },
  {
    name: 'failure-hooks-forgotten',
    rule: 'S28',
    story: 'nobody runs what an ended recovery owes of its hooks',
    file: 'coordinator/src/leader/jobs/failure-hooks.ts',
    find: 'if (!view.isFresh()) return;',
    replace: 'if (view.isFresh()) return;',
    caughtBy: ['I13'],
    run: run(crash('m1'), {
      ...{ id: 'abandon', kind: 'operator-commands', when: { stage: 'capture', nth: 1, afterMs: 0 } },
      ...{ forMs: 300_000, member: 'm1', command: 'abandon' },
    }),
  },
];
