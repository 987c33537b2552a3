import { INSIDE, settleIn } from '../../faults/lab/private-world.ts';
import { crashes, falseVerdicts, type LossPlan } from './measure.ts';
import { SerfCluster } from './serf-cluster.ts';

/**
 * Runs as the first process of a private world. Arguments: nodes, seconds a condition, crashes.
 * What is found goes to the parent, a message each.
 */
if (process.env[INSIDE] === undefined)
  throw new Error('run `npm run detection -- --serf`: this needs a world of its own');
const [nodes = 12, seconds = 120, crashCount = 12] = process.argv.slice(2).map(Number);
const CONDITIONS: readonly (readonly [name: string, plan: LossPlan])[] = [
  ['1 %', { kind: 'steady', ratio: 0.01 }],
  ['5 %', { kind: 'steady', ratio: 0.05 }],
  ['10 %', { kind: 'steady', ratio: 0.1 }],
  ['bursts of 1 s', { kind: 'bursts', badMs: 1_000, goodMs: 9_000 }],
  ['bursts of 2 s', { kind: 'bursts', badMs: 2_000, goodMs: 18_000 }],
];

settleIn();
const cluster = new SerfCluster(nodes);
for (let index = 0; index < nodes; index++) cluster.start(index);
process.send?.({ crashes: await crashes(cluster, crashCount) });
for (const [name, plan] of CONDITIONS)
  process.send?.({ rate: await falseVerdicts(cluster, name, plan, seconds * 1_000) });
for (let index = 0; index < nodes; index++) cluster.kill(index);
process.disconnect?.();
