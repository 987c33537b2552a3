import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { CoordinatorConfigSchema } from '@understudy/coordinator';
import { parseConfig } from '@understudy/shared/node';
import { beforeAll, describe, expect, it, test } from 'vitest';
import { FOLDER, textOf, withGeneratedParts } from './generated-parts.ts';
import { readTemplate, type Template } from './read-template.ts';
import { templateValidator } from './validate-template.ts';

const TEMPLATES = ['coordinators.yaml', 'member.yaml', 'events.yaml', 'notices.yaml', 'watchman.yaml'] as const;
let validate: (template: Template) => readonly string[];
beforeAll(async () => {
  validate = await templateValidator();
}, 60_000);

const coordinators = (): Template => readTemplate(textOf('coordinators.yaml'));

test('the template has the policy of the table of calls, and the script as it stands (npm run cloudformation)', async () => {
  const text = withGeneratedParts(textOf('coordinators.yaml'));
  expect(text).toContain('CoordinatorPolicy2:');
  await expect(text).toMatchFileSnapshot(join(FOLDER, 'coordinators.yaml'));
});

describe.each(TEMPLATES)('%s', (file) => {
  it('is what the resource specification allows, and every reference names something', () => {
    expect(validate(readTemplate(textOf(file)))).toEqual([]);
  });

  it('is no longer than CloudFormation takes in one request', () => {
    expect(Buffer.byteLength(textOf(file))).toBeLessThan(51_200);
  });
});

describe('user data', () => {
  it('is less than 16 KiB, with the longest values', () => {
    const head = 2_000;
    expect(Buffer.byteLength(textOf('boot.sh')) + head).toBeLessThan(16_384);
  });

  const hasShellcheck = spawnSync('shellcheck', ['--version']).status === 0;
  test.skipIf(!hasShellcheck)('has no fault that shellcheck knows', () => {
    const { stdout, status } = spawnSync('shellcheck', ['-s', 'sh', join(FOLDER, 'boot.sh')], { encoding: 'utf8' });
    expect([status, stdout]).toEqual([0, '']);
  });

  it('writes a configuration that a coordinator takes', () => {
    const [, config = ''] = /<< CONFIG\n([^]*?)\nCONFIG\n/.exec(textOf('boot.sh')) ?? [];
    const values: Readonly<Record<string, string>> = {
      ...{ NAME: 'c1', ZONE: 'eu-central-1a', IP: '10.0.1.10', CLUSTER: 'main', REGION: 'eu-central-1' },
      ...{ HOSTS: 'https://10.0.1.10:2379,https://10.0.2.10:2379', ENROLS: '' },
    };
    const filled = config.replaceAll(/\$([A-Z]+)/g, (_, name: string) => values[name] ?? `$${name}`);
    const parsed = parseConfig(CoordinatorConfigSchema, filled, 'coordinator.yaml');
    expect(parsed).toMatchObject({ id: 'c1', etcd: { root: '/understudy/main/v1/' }, http: { port: 8443 } });
    expect(parsed.etcd.hosts).toHaveLength(2);
  });

  it('gets every name that the script uses', () => {
    const text = textOf('coordinators.yaml');
    const given = new Set(
      [...text.matchAll(/^ +([A-Z_0-9]+)='\$\{|^ +(READY_PARAMETER)='/gm)].map(([, a, b]) => a ?? b),
    );
    const used = [...textOf('boot.sh').matchAll(/\$\{?([A-Z][A-Z_0-9]+)\b/g)].map(([, name]) => name ?? '');
    const own = new Set([...textOf('boot.sh').matchAll(/^ *([A-Z_]+)=/gm), ['', 'NAME']].map(([, name]) => name));
    expect([...new Set(used)].filter((name) => !given.has(name) && !own.has(name))).toEqual([]);
  });
});

type Change = (resources: Record<string, { Type: string; Properties: Record<string, unknown> }>) => void;
const at = (value: unknown): Record<string, unknown> => value as Record<string, unknown>;
const first = (value: unknown): Record<string, unknown> => at((value as unknown[])[0]);

const WRONG: readonly (readonly [string, Change, RegExp])[] = [
  [
    'a property that does not exist',
    ({ InterfaceA }) => Object.assign(at(InterfaceA?.Properties), { PrivateIp: '10.0.0.1' }),
    /InterfaceA\.Properties\.PrivateIp: there is no such property/,
  ],
  [
    'a nested property that does not exist',
    ({ CoordinatorLaunch }) =>
      Object.assign(at(at(CoordinatorLaunch?.Properties['LaunchTemplateData'])['MetadataOptions']), {
        HttpToken: 'required',
      }),
    /LaunchTemplateData\.MetadataOptions\.HttpToken: there is no such property/,
  ],
  [
    'a nested value of a wrong type',
    ({ CoordinatorLaunch }) =>
      Object.assign(at(first(at(CoordinatorLaunch?.Properties['LaunchTemplateData'])['BlockDeviceMappings'])['Ebs']), {
        Encrypted: 'yes',
      }),
    /BlockDeviceMappings\.0\.Ebs\.Encrypted: want a boolean, got "yes"/,
  ],
  [
    'one value where a list is wanted',
    ({ InterfaceA }) => Object.assign(at(InterfaceA?.Properties), { GroupSet: 'sg-1' }),
    /GroupSet: want a list/,
  ],
  [
    'a list where one value is wanted',
    ({ Heartbeats }) => Object.assign(at(Heartbeats?.Properties), { CidrIp: { Ref: 'Groups' } }),
    /CidrIp: want one value, and Groups is a list/,
  ],
  [
    'what is required and missing',
    ({ Heartbeats }) => delete at(Heartbeats?.Properties)['IpProtocol'],
    /Heartbeats\.Properties: IpProtocol is required/,
  ],
  [
    'what is required below and missing',
    ({ NobodyReady }) => delete first(NobodyReady?.Properties['Dimensions'])['Name'],
    /Dimensions\.0: Name is required/,
  ],
  [
    'a type of resource that does not exist',
    (resources) => Object.assign(at(resources['InterfaceA']), { Type: 'AWS::EC2::NetworkCard' }),
    /AWS::EC2::NetworkCard is no type of resource/,
  ],
  [
    'a Ref of nothing',
    ({ InterfaceA }) => Object.assign(at(InterfaceA?.Properties), { SubnetId: { Ref: 'SubnetD' } }),
    /SubnetId: Ref of SubnetD, which is nothing/,
  ],
  [
    'an attribute that the resource lacks',
    ({ Heartbeats }) =>
      Object.assign(at(Heartbeats?.Properties), { GroupId: { 'Fn::GetAtt': ['CoordinatorSecurityGroup', 'Arn'] } }),
    /GetAtt CoordinatorSecurityGroup\.Arn: there is no such attribute/,
  ],
  [
    'a GetAtt of no resource',
    ({ Heartbeats }) => Object.assign(at(Heartbeats?.Properties), { GroupId: { 'Fn::GetAtt': ['Nobody', 'GroupId'] } }),
    /GetAtt of Nobody, which is no resource/,
  ],
  [
    'a Sub of nothing',
    ({ InterfaceA }) => Object.assign(at(InterfaceA?.Properties), { Description: { 'Fn::Sub': 'of ${Nobody}' } }),
    /Sub names Nobody, which is nothing/,
  ],
  [
    'a condition that is not there',
    (resources) => Object.assign(at(resources['InterfaceA']), { Condition: 'HasNobody' }),
    /there is no condition HasNobody/,
  ],
  [
    'what may not be there, named where it has to be',
    ({ NobodyReady }) => Object.assign(at(NobodyReady?.Properties), { AlarmName: { 'Fn::Sub': 'of ${CoordinatorA}' } }),
    /NobodyReady\.Properties\.AlarmName: CoordinatorA is there only under HasHostA/,
  ],
  [
    'what may not be there, named where the condition does not hold',
    ({ NobodyReady }) =>
      Object.assign(at(NobodyReady?.Properties), {
        AlarmName: { 'Fn::If': ['HasHostA', 'all', { Ref: 'CoordinatorA' }] },
      }),
    /AlarmName\.2: CoordinatorA is there only under HasHostA/,
  ],
  [
    'a function of another language',
    ({ InterfaceA }) => Object.assign(at(InterfaceA?.Properties), { Description: { 'Fn::Concat': ['a'] } }),
    /Fn::Concat is no function/,
  ],
];

describe('the validator notices', () => {
  it.each(WRONG)('%s', (_, change, fault) => {
    const template = coordinators();
    change(template.Resources as Parameters<Change>[0]);
    expect(validate(template).join('\n')).toMatch(fault);
  });
});

describe('what the stack promises', () => {
  const of = (type: string) => Object.values(coordinators().Resources).filter((one) => one.Type === type);

  it('IMDSv2 only, from the instance itself; encrypted disks; nobody ends a coordinator by mistake', () => {
    const [launch] = of('AWS::EC2::LaunchTemplate');
    expect(launch?.Properties).toMatchObject({
      LaunchTemplateData: {
        MetadataOptions: { HttpTokens: 'required', HttpPutResponseHopLimit: 1 },
        BlockDeviceMappings: [{ Ebs: { VolumeType: 'gp3', Encrypted: true } }],
        DisableApiTermination: true,
      },
    });
  });

  it('three hosts with three fixed addresses, each in a subnet of its own', () => {
    expect(
      of('AWS::EC2::NetworkInterface').map((one) => [
        one.Properties?.['SubnetId'],
        one.Properties?.['PrivateIpAddress'],
      ]),
    ).toEqual(['A', 'B', 'C'].map((host) => [{ Ref: `Subnet${host}` }, { Ref: `Ip${host}` }]));
    expect(of('AWS::EC2::Instance')).toHaveLength(3);
  });

  it('one rule per port, by the security group it comes from; only operators come by address', () => {
    const rules = of('AWS::EC2::SecurityGroupIngress').map(({ Properties = {} }) => [
      ...[Properties['IpProtocol'], Properties['FromPort'], Properties['ToPort']],
      Properties['CidrIp'] === undefined ? 'group' : 'address',
    ]);
    expect(rules).toEqual([
      ['tcp', 2379, 2379, 'group'],
      ['tcp', 2380, 2380, 'group'],
      ['tcp', 8443, 8443, 'group'],
      ['tcp', 8443, 8443, 'group'],
      ['tcp', 8443, 8443, 'address'],
      ['udp', 7946, 7946, 'group'],
    ]);
  });

  it('members reach the port at which they fetch the agent and ask for their keys, whatever is on', () => {
    const { HttpsOfMembers } = coordinators().Resources;
    expect(HttpsOfMembers?.Properties).toMatchObject({
      ...{ FromPort: 8443, ToPort: 8443, IpProtocol: 'tcp' },
      SourceSecurityGroupId: { Ref: 'MemberSecurityGroup' },
    });
    expect(HttpsOfMembers?.Condition).toBeUndefined();
  });

  it('a member that enrols has no role, and its metadata service answers nobody behind it', () => {
    const { Parameters, Resources } = readTemplate(textOf('member.yaml'));
    const roles = Object.values(Resources).filter(({ Type }) => Type.startsWith('AWS::IAM::'));
    expect(roles.map(({ Condition }) => Condition)).toEqual(['HasParameter', 'HasParameter']);
    expect(Resources['MemberInstance']?.Properties).toMatchObject({
      IamInstanceProfile: { 'Fn::If': ['HasParameter', { Ref: 'MemberProfile' }, { Ref: 'AWS::NoValue' }] },
      MetadataOptions: { HttpTokens: 'required', HttpPutResponseHopLimit: 1 },
    });
    expect(Parameters?.['Key']).toMatchObject({ Default: 'parameter' });
    const { Enrolment } = coordinators().Parameters ?? {};
    expect(Enrolment).toMatchObject({ Default: 'off', AllowedValues: ['off', 'on'] });
  });

  it('an alarm when nobody is ready, and one below three; both take silence for a breach, and both end', () => {
    const alarms = of('AWS::CloudWatch::Alarm').map(({ Properties }) => Properties);
    const told = { 'Fn::If': ['HasTopic', [{ Ref: 'AlarmTopic' }], { Ref: 'AWS::NoValue' }] };
    const below = (Threshold: number) => ({
      ...{ MetricName: 'ReadyCoordinators', TreatMissingData: 'breaching', Statistic: 'SampleCount', Threshold },
      ...{ ComparisonOperator: 'LessThanThreshold', AlarmActions: told, OKActions: told },
    });
    expect(alarms).toHaveLength(2);
    expect(alarms[0]).toMatchObject(below(1));
    expect(alarms[1]).toMatchObject(below(3));
  });
});
