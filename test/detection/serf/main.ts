import { INSIDE, settleIn } from '../../faults/lab/private-world.ts';
import { CONDITION_NAMES, type ConditionName } from '../condition-names.ts';
import { crashes, falseVerdicts, type LossPlan } from './measure.ts';
import { SerfCluster } from './serf-cluster.ts';

/**
 * Runs as the first process of a private world. Arguments: nodes, seconds, and what is measured in
 * it: a condition's name, or a number of crashes. What is found goes to the parent as one message.
 */
if (process.env[INSIDE] === undefined)
  throw new Error('run `npm run detection -- --serf`: this needs a world of its own');
const [nodeText = '12', secondText = '600', measured = ''] = process.argv.slice(2);
const [nodes, seconds] = [Number(nodeText), Number(secondText)];
const PLANS: Readonly<Record<ConditionName, LossPlan>> = {
  '1 %': { kind: 'steady', ratio: 0.01 },
  '5 %': { kind: 'steady', ratio: 0.05 },
  '10 %': { kind: 'steady', ratio: 0.1 },
  'bursts of 1 s': { kind: 'bursts', badMs: 1_000, goodMs: 9_000 },
  'bursts of 2 s': { kind: 'bursts', badMs: 2_000, goodMs: 18_000 },
};

settleIn();
const cluster = new SerfCluster(nodes);
for (let index = 0; index < nodes; index++) cluster.start(index);
const name = CONDITION_NAMES.find((one) => one === measured);
process.send?.(
  name === undefined
    ? { crashes: await crashes(cluster, Number(measured)) }
    : { rate: await falseVerdicts(cluster, name, PLANS[name], seconds * 1_000) },
);
for (let index = 0; index < nodes; index++) cluster.kill(index);
process.disconnect?.();
