/** What dry runs may name. */
export interface DryRunSubject {
  /** The instance of a member that the operator chose. */
  readonly instanceId: string;
}

const ON_INSTANCE: Readonly<Record<string, (instanceId: string) => Record<string, unknown>>> = {
  'ec2:DescribeInstanceAttribute': (InstanceId) => ({ InstanceId, Attribute: 'disableApiStop' }),
  'ec2:GetConsoleOutput': (InstanceId) => ({ InstanceId }),
  'ec2:StopInstances': (id) => ({ InstanceIds: [id] }),
  'ec2:StartInstances': (id) => ({ InstanceIds: [id] }),
  'ec2:RebootInstances': (id) => ({ InstanceIds: [id] }),
  'ec2:ModifyInstanceAttribute': (InstanceId) => ({ InstanceId, DisableApiTermination: { Value: true } }),
  'ec2:CreateSnapshots': (InstanceId) => ({ InstanceSpecification: { InstanceId } }),
  'ec2:CreateTags': (id) => ({ Resources: [id], Tags: [{ Key: 'understudy:doctor', Value: 'dry-run' }] }),
};

/**
 * What a call is tried with. Reads need nothing. Calls on an instance name the one that the
 * operator chose, because the policy asks for its tags. Null: it cannot be tried, since it is about
 * something that only a recovery makes. RunInstances is tried by the leader itself
 * (`loop.tryLaunchEveryMs`).
 */
export function dryRunInput(action: string, subject: DryRunSubject | null): Record<string, unknown> | null {
  const of = ON_INSTANCE[action];
  if (of !== undefined) return subject === null ? null : of(subject.instanceId);
  return action.startsWith('ec2:Describe') ? {} : null;
}
