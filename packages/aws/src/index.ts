/** The services of AWS, each by its own SDK client; every answer is checked to be theirs. */
export { AnswerWatch } from './ec2/answer-watch.ts';
export { isDoneWhenAsked } from './ec2/actions.ts';
export { createEc2Cloud } from './ec2/create-ec2-cloud.ts';
export { type RecordedCall, recordedCall } from './ec2/recorded-call.ts';
export { sdkTransport } from './ec2/sdk-transport.ts';
export { isLimitedAction, type LimitedService, ServiceLimiters } from './limits/service-limiters.ts';
export type { ActionState } from './limiter/call-limiter.ts';
export { regionOfArn } from './transport/region-of-arn.ts';
export { isStandIn, kmsEndpointOf, serviceEndpointOf } from './kms/kms-endpoint.ts';
export { kmsOver } from './kms/kms-over.ts';
export { sdkKmsTransport } from './kms/sdk-kms-transport.ts';
export { RecentRows } from './batching/recent-rows.ts';
export { resourcePagesOver } from './inventory/resource-pages-over.ts';
export { sdkElbv2Transport } from './elbv2/sdk-elbv2-transport.ts';
export { targetGroupsOver } from './elbv2/target-groups-over.ts';
export { dnsRecordsOver } from './route53/dns-records-over.ts';
export { sdkRoute53Transport } from './route53/sdk-route53-transport.ts';
export { eventBusOver } from './eventbridge/event-bus-over.ts';
export { sdkEventBridgeTransport } from './eventbridge/sdk-eventbridge-transport.ts';
export { sdkSnsTransport } from './sns/sdk-sns-transport.ts';
export { topicOver } from './sns/topic-over.ts';
export { messageQueueOver } from './sqs/message-queue-over.ts';
export { sdkSqsTransport } from './sqs/sdk-sqs-transport.ts';
export { remoteCommandsOver } from './ssm/remote-commands-over.ts';
export { sdkSsmTransport } from './ssm/sdk-ssm-transport.ts';
export { sdkSecretsManagerTransport } from './secretsmanager/sdk-secrets-transport.ts';
export { secretsOver } from './secrets/secrets-over.ts';
export { mapEc2Error } from './transport/map-error.ts';
export { AGENT_CALLS, type AgentPolicyOptions, agentStatements } from './permissions/agent-policy.ts';
export { AWS_CALLS, type AwsCall } from './permissions/calls.ts';
export {
  coordinatorStatements,
  type IamPolicy,
  type IamStatement,
  MANAGED_POLICY_CHARACTERS_MAX,
  managedPolicies,
} from './permissions/iam-policy.ts';
export { STATEMENTS } from './permissions/statements.ts';
export type { Ec2Transport } from './transport/transport.ts';
