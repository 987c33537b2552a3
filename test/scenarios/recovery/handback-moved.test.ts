import { HAND_BACK_TOOLS, readTerraformState } from '@understudy/cli';
import { HandBackLook } from '@understudy/coordinator/testing';
import { handBackRecoveries } from '@understudy/recovery';
import type { HandBackView } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { checkFollowed, failed, identityWorld } from './identity-world.ts';
import { MEMBER, type RecoveryFixture } from './recovery-fixture.ts';
import { NAMED } from './names-scene.ts';
import { stage } from './stories.ts';

type View = ConstructorParameters<typeof HandBackLook>[0]['view'];

/** As the leader tells it. */
async function handBackOf(scene: RecoveryFixture): Promise<HandBackView> {
  const activations = new Map([[MEMBER, { record: scene.activation() }]]);
  const view = { isFresh: () => true, records: { activations } } as unknown as View;
  const recoveries = handBackRecoveries(scene.history(), null);
  if (recoveries === null) throw new Error('no recovery has ended');
  const look = new HandBackLook({ cloud: scene.newCloud(), view, log: scene.log });
  const asked = { member: MEMBER, before: null, ...recoveries };
  const answer = await scene.clock.runUntilSettled(look.of(scene.lead().term, asked));
  if (answer.kind === 'refused') throw new Error(answer.text);
  return answer.view;
}

const resource = (type: string, name: string, attributes: object) => ({
  ...{ mode: 'managed', type, name, provider: 'provider["registry.terraform.io/hashicorp/aws"]' },
  instances: [{ schema_version: 1, attributes }],
});

/** `takeover.tf` for a state that names these. */
function takeoverOf(view: HandBackView, resources: readonly object[]): string {
  const state = readTerraformState(JSON.stringify({ version: 4, resources }), 'state');
  const tool = HAND_BACK_TOOLS.find(({ name }) => name === 'terraform');
  const papers = tool?.papers({ view, stack: null, logicalId: null, leave: [], state });
  return papers?.files.find(({ name }) => name === 'takeover.tf')?.text ?? '';
}

const imports = (text: string): readonly (readonly [string, string])[] =>
  [...text.matchAll(/to = (\S+)\n {2}id = "([^"]*)"/g)].map(([, to = '', id = '']) => [to, id]);

describe('a hand-back after a recovery that moved', () => {
  test('interfaces and their addresses: they keep their ids, and what attaches them is imported by its own', async () => {
    const world = await failed(await identityWorld());
    const { scene, old, further, onFurther } = world;
    expect(await scene.run(scene.lead(), scene.intent()), JSON.stringify(scene.hold())).toBe('finished');
    const newInstanceId = scene.activation()?.instanceId ?? '';
    checkFollowed(world, newInstanceId);
    const view = await handBackOf(scene);
    const row = view.resources.find(({ was }) => was === further);
    expect(row).toMatchObject({ kind: 'interface', is: further, fate: 'moved', place: '1' });
    const address = view.resources.find(({ was }) => was === onFurther);
    expect(address).toMatchObject({ kind: 'address', is: onFurther, fate: 'moved' });
    const text = takeoverOf(view, [
      resource('aws_instance', 'db', { id: old.instanceId }),
      resource('aws_network_interface', 'more', { id: further }),
      resource('aws_network_interface_attachment', 'more', {
        ...{ id: 'eni-attach-old', instance_id: old.instanceId, network_interface_id: further },
      }),
      resource('aws_eip', 'more', { id: onFurther }),
    ]);
    // The interface and the address are what they were.
    const attachment = scene.sim.core.region.networkInterfaces.get(further)?.attachment?.attachmentId;
    expect(imports(text).map(([, id]) => id)).toEqual([newInstanceId, attachment]);
    expect(text).not.toContain(`"${further}"`);
  });

  test('records and target groups: they are told, and nothing is imported for them', async () => {
    const { scene, old } = await stage(NAMED);
    expect(await scene.run(scene.lead(), scene.intent()), JSON.stringify(scene.hold())).toBe('finished');
    const newInstanceId = scene.activation()?.instanceId ?? '';
    NAMED.check(scene, old, newInstanceId);
    const view = await handBackOf(scene);
    expect(view.notes.map(({ code }) => code)).toEqual(
      expect.arrayContaining(['RecordsRewritten', 'TargetsRegistered']),
    );
    const text = takeoverOf(view, [
      resource('aws_instance', 'db', { id: old.instanceId }),
      resource('aws_route53_record', 'db', { id: 'Z_db.example.com_A', records: ['10.0.0.1'] }),
      resource('aws_lb_target_group_attachment', 'db', { id: 'tg-1', target_id: old.instanceId }),
    ]);
    expect(imports(text).map(([, id]) => id)).toEqual([newInstanceId]);
    expect(text).toContain('from = aws_lb_target_group_attachment.db');
    expect(text).not.toContain('aws_route53_record');
    expect(scene.log.linesOf('handback.told')).toHaveLength(1);
  });
});
