import {
  type HandBackPapers,
  type HandBackTool,
  HAND_BACK_TOOLS,
  handBackText,
  readTerraformState,
} from '@understudy/cli';
import type { SeededInstance } from '@understudy/cloud-sim';
import { handBackRecoveries, type InstanceSight } from '@understudy/recovery';
import { type HandBackView, HandBackViewSchema, type MemberId } from '@understudy/shared';
import type { PolicyChange } from '@understudy/shared/testing';
import { ScenarioCluster } from './scenario-cluster.ts';

export const DB1: MemberId = 'prod/db1';
export const HOUR_MS = 3_600_000;
export const MINUTE_MS = 60_000;

/** A member that a stack has made, or a Terraform configuration. */
export interface HandBackScene {
  readonly world: ScenarioCluster;
  readonly old: SeededInstance;
  /** What the state says that was written when everything was made. */
  readonly state: string;
}

const madeBy = (logicalId: string) => ({
  'aws:cloudformation:stack-name': 'orders',
  'aws:cloudformation:logical-id': logicalId,
  'aws:cloudformation:stack-id': 'arn:aws:cloudformation:us-east-1:123456789012:stack/orders/1',
});

/** Only AWS writes such tags, so no call of the simulator does. */
function tagAsStack({ sim }: ScenarioCluster, old: SeededInstance): void {
  const { instances, volumes } = sim.core.region;
  const instance = instances.get(old.instanceId);
  if (instance) instances.put({ ...instance, tags: { ...instance.tags, ...madeBy('Db') } }, 0, true);
  const data = volumes.get(old.volumeIds['/dev/sdf'] ?? '');
  if (data) volumes.put({ ...data, tags: { ...data.tags, ...madeBy('Data') } }, 0, true);
}

const resource = (type: string, name: string, attributes: object, more: object = {}) => ({
  ...{ mode: 'managed', type, name, provider: 'provider["registry.terraform.io/hashicorp/aws"]' },
  instances: [{ schema_version: 1, attributes }],
  ...more,
});

/** A state of version 4 (`terraform state pull`). */
export const stateOf = (old: SeededInstance): string => {
  const data = old.volumeIds['/dev/sdf'] ?? '';
  const attached = { device_name: '/dev/sdf', volume_id: data, instance_id: old.instanceId };
  return JSON.stringify({
    ...{ version: 4, terraform_version: '1.11.4', serial: 7, lineage: 'a', outputs: {} },
    resources: [
      resource('aws_instance', 'db', { id: old.instanceId, ami: 'ami-1' }),
      resource('aws_ebs_volume', 'data', { id: data }, { module: 'module.disks' }),
      resource('aws_volume_attachment', 'data', { id: 'vai-1', ...attached }),
      resource('aws_eip', 'db', { id: old.allocationId }),
      resource('aws_eip_association', 'db', { id: old.associationId, allocation_id: old.allocationId }),
      resource('aws_lb_target_group_attachment', 'db', { id: 'tg-1', target_id: old.instanceId }),
      resource('aws_instance', 'other', { id: 'i-0123456789abcdef0' }),
    ],
  });
};

export async function staged(policy: PolicyChange = {}): Promise<HandBackScene> {
  const world = new ScenarioCluster({ policy });
  const dataVolumes = [{ deviceName: '/dev/sdf', sizeGiB: 10 }];
  const old = world.seed(DB1, { elasticIp: true, dataVolumes });
  tagAsStack(world, old);
  world.seed('prod/db2', { az: 'us-east-1b' });
  await world.up();
  return { world, old, state: stateOf(old) };
}

/** What serves now dies, and its member is recovered, in whatever way. */
export async function recovered({ world }: HandBackScene): Promise<string> {
  const before = world.history(DB1).length;
  world.crash(world.activation(DB1)?.instanceId ?? '');
  await world.until('recovered', () => world.history(DB1).length > before, HOUR_MS);
  await world.clock.advance(2 * MINUTE_MS);
  return world.activation(DB1)?.instanceId ?? '';
}

/** As the route asks for it. */
export async function handBack(
  { world }: HandBackScene,
  since: string | null = null,
  before: InstanceSight | null = null,
): Promise<HandBackView> {
  const recoveries = handBackRecoveries(world.history(DB1), since);
  if (recoveries === null) throw new Error('no recovery');
  const { leader } = world.mustLead().coordinator;
  const answer = await world.clock.runUntilSettled(leader.handBack({ member: DB1, before, ...recoveries }));
  if (answer.kind === 'refused') throw new Error(`${answer.code}: ${answer.text}`);
  return HandBackViewSchema.parse(JSON.parse(JSON.stringify(answer.view)));
}

export const toolNamed = (name: string): HandBackTool => {
  const tool = HAND_BACK_TOOLS.find((one) => one.name === name);
  if (tool === undefined) throw new Error(`no tool ${name}`);
  return tool;
};

export const papersOf = (name: string, view: HandBackView, state: string | null = null): HandBackPapers =>
  toolNamed(name).papers({
    ...{ view, stack: null, logicalId: null, leave: [] },
    state: state === null ? null : readTerraformState(state, 'state'),
  });

/** Everything that a person gets: what is printed, and each file. */
export function printed(name: string, view: HandBackView, state: string | null = null): string {
  const tool = toolNamed(name);
  const papers = papersOf(name, view, state);
  const files = papers.files.map((file) => `--- ${file.name}\n${file.text}`);
  return `${[handBackText(view, { tool, papers }), ...files].join('\n')}\n`;
}
