import { loadAwsServiceSpec } from '@aws-cdk/aws-service-spec';
import { HAND_BACK_TOOLS, readTerraformState } from '@understudy/cli';
import { parseHcl } from '@understudy/cli/testing';
import type { HandBackView } from '@understudy/shared';
import { spawnSync } from 'node:child_process';
import { describe, expect, it, test } from 'vitest';
import { templateValidator } from '../cloudformation/validate-template.ts';

const OLD = 'i-00000000000000001';
const NEW = 'i-00000000000000002';
const made = (logicalId: string) => ({ stack: 'orders', logicalId });

const VIEW: HandBackView = {
  ...{ member: 'db/one', earlier: [], seenIn: 'ec2', isDue: true, lostTags: {}, notes: [] },
  recoveries: [
    { opId: 'op-1', outcome: 'replaced', strategy: 'snapshot-and-replace', endedAtWallMs: 1, was: OLD, is: NEW },
  ],
  resources: [
    { kind: 'instance', was: OLD, is: NEW, fate: 'replaced', place: null, attachment: null, madeBy: made('Db') },
    {
      kind: 'volume',
      was: 'vol-1',
      is: 'vol-2',
      fate: 'replaced',
      place: '/dev/sdf',
      attachment: null,
      madeBy: made('Data'),
    },
  ],
  drift: [
    { property: 'ImageId', argument: 'ami', was: 'ami-1', is: 'ami-2', replaces: true },
    { property: 'PrivateIpAddress', argument: 'private_ip', was: '10.0.0.1', is: '10.0.0.2', replaces: true },
  ],
};

const papers = (name: string, more: object = {}) => {
  const tool = HAND_BACK_TOOLS.find((one) => one.name === name);
  if (tool === undefined) throw new Error(`no ${name}`);
  return tool.papers({ view: VIEW, stack: null, logicalId: null, leave: [], state: null, ...more });
};

const fileOf = (of: ReturnType<typeof papers>, name: string): string =>
  of.files.find((file) => file.name === name)?.text ?? '';

const hasJq = spawnSync('jq', ['--version']).status === 0;

function jq(program: string, input: string, slurp = false) {
  const ran = spawnSync('jq', [...(slurp ? ['-s'] : []), program], { input, encoding: 'utf8' });
  return { ok: ran.status === 0, said: `${ran.stdout}${ran.stderr}` };
}

/** What describe-instances shows of the instance that serves. */
const SEEN = { InstanceId: NEW, PrivateIpAddress: '10.0.0.2', Placement: { AvailabilityZone: 'us-east-1a' } };
const TEMPLATE = {
  AWSTemplateFormatVersion: '2010-09-09',
  Parameters: { Image: { Type: 'AWS::EC2::Image::Id' } },
  Resources: {
    Db: {
      Type: 'AWS::EC2::Instance',
      DependsOn: 'Data',
      Properties: { ImageId: { Ref: 'Image' }, InstanceType: 'm7g.large', SubnetId: 'subnet-1' },
    },
    Data: { Type: 'AWS::EC2::Volume', Properties: { AvailabilityZone: 'us-east-1a', Size: 10 } },
    Join: {
      Type: 'AWS::EC2::VolumeAttachment',
      Properties: { InstanceId: { Ref: 'Db' }, VolumeId: { Ref: 'Data' }, Device: '/dev/sdf' },
    },
    Address: { Type: 'AWS::EC2::EIP', DependsOn: ['Db'], Properties: { InstanceId: { Ref: 'Db' } } },
    Record: {
      Type: 'AWS::Route53::RecordSet',
      Properties: {
        ...{ HostedZoneId: 'Z1', Name: 'db.example.', Type: 'A', TTL: '60' },
        ResourceRecords: [{ 'Fn::GetAtt': ['Db', 'PrivateIp'] }],
      },
    },
  },
  Outputs: {
    Instance: { Value: { Ref: 'Db' } },
    Text: { Value: { 'Fn::Sub': '${Db} ü ${Db.AvailabilityZone}, ${Address.AllocationId} ${!Db} ${AWS::Region}' } },
    Disk: { Value: { 'Fn::Sub': ['${Data} ${Named}', { Named: { 'Fn::GetAtt': ['Data', 'VolumeId'] } }] } },
  },
};

describe.skipIf(!hasJq)('the edits of a template', () => {
  const given = papers('cloudformation', { leave: ['Join'] });
  const program = (name: string): string => fileOf(given, name);
  /** With what `--slurpfile` would give it. */
  const leave = (seen: object = SEEN): string => `${JSON.stringify([seen])} as $seen | ${program('2-leave.jq')}`;
  const all = () => {
    const kept = JSON.parse(jq('.[0] * .[1]', `${JSON.stringify(TEMPLATE)} ${program('1-keep.json')}`, true).said);
    const without = JSON.parse(jq(leave(), JSON.stringify(kept)).said);
    const imported = JSON.parse(
      jq(program('3-import.jq'), `${JSON.stringify(kept)} ${JSON.stringify(without)}`, true).said,
    );
    const refers = JSON.parse(
      jq(program('4-refer.jq'), `${JSON.stringify(kept)} ${JSON.stringify(imported)}`, true).said,
    );
    return { kept, without, imported, refers };
  };

  it('keep what leaves, take it out, bring it back as it is now, and refer to it again', () => {
    const { kept, without, imported, refers } = all();
    const retained = {
      DeletionPolicy: 'Retain',
      UpdateReplacePolicy: 'Retain',
      Metadata: { UnderstudyHandBack: 'op-1' },
    };
    for (const name of ['Db', 'Data', 'Join']) expect(kept.Resources[name]).toMatchObject(retained);
    const record = { ...TEMPLATE.Resources.Record.Properties, ResourceRecords: ['10.0.0.2'] };
    expect(without.Resources).toEqual({
      Address: { Type: 'AWS::EC2::EIP', Properties: { InstanceId: NEW } },
      Record: { Type: 'AWS::Route53::RecordSet', Properties: record },
    });
    expect(without.Outputs).toEqual({
      Instance: { Value: NEW },
      Text: { Value: { 'Fn::Sub': `${NEW} ü us-east-1a, \${Address.AllocationId} \${!Db} \${AWS::Region}` } },
      Disk: { Value: { 'Fn::Sub': ['vol-2 ${Named}', { Named: 'vol-2' }] } },
    });
    const db = { ...kept.Resources.Db, Properties: { ...TEMPLATE.Resources.Db.Properties, ImageId: 'ami-2' } };
    expect(imported).toEqual({ ...without, Resources: { ...without.Resources, Db: db, Data: kept.Resources.Data } });
    expect(refers.Outputs).toEqual(TEMPLATE.Outputs);
    const { Address, Record } = TEMPLATE.Resources;
    expect(refers.Resources).toEqual({ Address, Record, Db: db, Data: kept.Resources.Data });
  });

  it('end where an attribute is not known, and name it', () => {
    const { ok, said } = jq(leave({ InstanceId: NEW }), JSON.stringify(TEMPLATE));
    expect([ok, said]).toEqual([false, expect.stringContaining('Fn::GetAtt of Db.PrivateIp')]);
  });

  it('make templates that CloudFormation would take', async () => {
    const faults = await templateValidator();
    const { kept, without, imported, refers } = all();
    expect([kept, without, imported, refers].map(faults)).toEqual([[], [], [], []]);
  });
});

const change = (LogicalResourceId: string, Action: string, more: object = {}) => ({
  ResourceChange: { LogicalResourceId, Action, ...more },
});
const set = (...Changes: readonly object[]): string => JSON.stringify({ Changes });
const leaves = [
  change('Db', 'Remove', { PolicyAction: 'Retain' }),
  change('Data', 'Remove', { PolicyAction: 'Retain' }),
];
const imports = [
  change('Db', 'Import', { PhysicalResourceId: NEW }),
  change('Data', 'Import', { PhysicalResourceId: 'vol-2' }),
];

test('each change set admits to the roles of the template, and the lines are words of a shell', () => {
  const { steps } = papers('cloudformation', { leave: ['Join'] });
  const lines = steps.flatMap(({ commands }) => commands);
  const sets = lines.filter((line) => line.includes('create-change-set'));
  expect(sets).toHaveLength(4);
  for (const line of sets) expect(line).toContain('--capabilities CAPABILITY_NAMED_IAM');
  for (const line of lines) expect(spawnSync('sh', ['-n', '-c', line]).status, line).toBe(0);
  const program = 'jq --slurpfile seen 2-instance.json -f 2-leave.jq 1-template.json';
  expect(sets[1]).toContain(`--instance-ids ${NEW} `);
  expect(sets[1]).toContain(`> 2-instance.json && ${program} > 2-template.json && `);
});

describe.skipIf(!hasJq)('a change set is executed only where', () => {
  const check = (file: string, changes: string) => jq(fileOf(papers('cloudformation'), file), changes);

  test.each<[string, string, string | null]>([
    ['1-check.jq', set(change('Db', 'Modify', { Replacement: 'False' })), null],
    ['1-check.jq', set(change('Db', 'Modify', { Replacement: 'True' })), 'Db would be replaced'],
    ['1-check.jq', set(change('Db', 'Modify', { Replacement: 'Conditional' })), 'Db would be replaced'],
    ['1-check.jq', set(change('Db', 'Remove')), 'Db: Remove'],
    ['1-check.jq', set(change('Db', 'Add')), 'Db: Add'],
    ['2-check.jq', set(...leaves, change('Address', 'Modify', { Replacement: 'False' })), null],
    ['2-check.jq', set(leaves[0] ?? {}, change('Data', 'Remove', { PolicyAction: 'Delete' })), 'Data would be deleted'],
    ['2-check.jq', set(leaves[0] ?? {}, change('Data', 'Remove')), 'Data would be deleted'],
    ['2-check.jq', set(...leaves, change('X', 'Remove', { PolicyAction: 'Retain' })), 'X would leave the stack'],
    ['2-check.jq', set(leaves[0] ?? {}), 'Data would stay in the stack'],
    ['2-check.jq', set(...leaves, change('Join', 'Modify', { Replacement: 'True' })), 'Join would be replaced'],
    ['3-check.jq', set(...imports), null],
    ['3-check.jq', set(...imports, change('Address', 'Modify')), 'Address: Modify'],
    ['3-check.jq', set(imports[0] ?? {}), 'Data would not be imported'],
    ['3-check.jq', set(imports[1] ?? {}, change('Db', 'Import', { PhysicalResourceId: OLD })), `Db would be ${OLD}`],
    ['4-check.jq', set(change('Db', 'Dynamic')), 'Db: Dynamic'],
  ])('%s passes it: %s: %s', (file, changes, fault) => {
    const { ok, said } = check(file, changes);
    expect(ok, said).toBe(fault === null);
    expect(said).toContain(fault ?? '');
  });
});

const STATE = JSON.stringify({
  version: 4,
  resources: [
    { mode: 'managed', type: 'aws_instance', name: 'db', instances: [{ attributes: { id: OLD } }] },
    {
      ...{ module: 'module.d["$(id)"]', mode: 'managed', type: 'aws_ebs_volume', name: 'data' },
      instances: [{ index_key: "a'${x}", attributes: { id: 'vol-1' } }],
    },
  ],
});

describe('the papers for Terraform', () => {
  const given = papers('terraform', { state: readTerraformState(STATE, 'state') });

  it('are HCL that its own parser reads', async () => {
    expect(await parseHcl('takeover.tf', fileOf(given, 'takeover.tf'))).toEqual({
      removed: [{ from: '${aws_instance.db}', lifecycle: [{ destroy: false }] }],
      import: [
        { to: '${aws_instance.db_i_00000000000000002}', id: NEW },
        { to: '${module.d["$(id)"].aws_ebs_volume.data["a\'$${x}"]}', id: 'vol-2' },
      ],
    });
    expect(await parseHcl('name-back.tf', fileOf(given, 'name-back.tf'))).toEqual({
      moved: [{ from: '${aws_instance.db_i_00000000000000002}', to: '${aws_instance.db}' }],
    });
  });

  it('forget one of several by the state, after a copy of it and a dry run', () => {
    const words = `'module.d["$(id)"].aws_ebs_volume.data["a'\\''$\${x}"]'`;
    expect(given.steps[0]?.commands).toEqual([
      `terraform state pull > handback-before.tfstate && terraform state rm -dry-run ${words} && terraform state rm ${words}`,
    ]);
  });

  const plan = (...all: readonly object[]): string => JSON.stringify({ resource_changes: all });
  const resource = (type: string, actions: readonly string[], more: object = {}) => ({
    ...{ address: `${type}.x`, mode: 'managed', type, change: { actions, before: {}, after: {}, ...more } },
  });
  const importing = (type: string, id: string) => resource(type, ['no-op'], { importing: { id } });
  const [instance, disk] = [importing('aws_instance', NEW), importing('aws_ebs_volume', 'vol-2')];
  const fine = [...[instance, disk], resource('aws_instance', ['forget'])];

  test.skipIf(!hasJq).each<[string, string | null]>([
    [plan(...fine), null],
    [plan(...fine, resource('aws_lb_target_group_attachment', ['create'])), null],
    [plan(...fine, resource('aws_s3_bucket', ['delete'])), 'aws_s3_bucket.x would be destroyed or replaced'],
    [plan(...fine, resource('aws_instance', ['delete', 'create'])), 'would be destroyed or replaced'],
    [plan(...fine, resource('aws_volume_attachment', ['create', 'delete'])), 'would be destroyed or replaced'],
    [plan(...fine, resource('aws_instance', ['create'])), 'would be made anew'],
    [plan(disk), `would not be imported: aws_instance ${NEW}`],
    [plan(importing('aws_instance', OLD), disk), `and was not meant: aws_instance ${OLD}`],
    [plan(importing('aws_instance', 'vol-2'), instance), 'and was not meant: aws_instance vol-2'],
    [plan(...fine, importing('aws_ebs_volume', 'vol-9')), 'and was not meant: aws_ebs_volume vol-9'],
    [plan(...fine, disk), 'would be imported twice'],
    [plan(...fine, resource('aws_instance', ['update'], { before: { tags: 1 }, after: { tags: 2 } })), null],
    [
      plan(...fine, resource('aws_instance', ['update'], { before: { user_data: 'a' }, after: { user_data: 'b' } })),
      'would be changed: user_data',
    ],
  ])('let a plan be applied only where it does no harm: %s: %s', (json, fault) => {
    const { ok, said } = jq(fileOf(given, 'check.jq'), json);
    expect(ok, said).toBe(fault === null);
    expect(said).toContain(fault ?? '');
  });
});

test('each identifier is the one by which CloudFormation knows the type', async () => {
  const spec = await loadAwsServiceSpec();
  const all: readonly { ResourceType: string; ResourceIdentifier: object }[] = JSON.parse(
    fileOf(papers('cloudformation', { view: withInterface() }), '3-resources.json'),
  );
  expect(all.map(({ ResourceType }) => ResourceType)).toEqual([
    ...['AWS::EC2::Instance', 'AWS::EC2::Volume', 'AWS::EC2::NetworkInterface'],
  ]);
  for (const { ResourceType, ResourceIdentifier } of all) {
    const [type] = spec.lookup('resource', 'cloudFormationType', 'equals', ResourceType);
    expect(Object.keys(ResourceIdentifier), ResourceType).toEqual(type?.primaryIdentifier);
  }
});

const withInterface = (): HandBackView => ({
  ...VIEW,
  resources: [
    ...VIEW.resources,
    {
      kind: 'interface',
      was: 'eni-1',
      is: 'eni-2',
      fate: 'replaced',
      place: '0',
      attachment: null,
      madeBy: made('Nic'),
    },
  ],
});

test.each([
  { stack: 'a; rm -rf /', logicalId: 'Db' },
  { stack: 'orders', logicalId: '$(id)' },
  { stack: '--help', logicalId: 'Db' },
  { stack: 'orders', logicalId: 'Db', leave: ['a b'] },
])('%j is no name of CloudFormation, and nothing is printed for it', (more) => {
  expect(() => papers('cloudformation', more)).toThrow('CONFIG_INVALID');
});
