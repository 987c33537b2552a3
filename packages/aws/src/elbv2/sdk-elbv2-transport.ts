import {
  DeregisterTargetsCommand,
  DescribeLoadBalancersCommand,
  DescribeTargetGroupsCommand,
  DescribeTargetHealthCommand,
  ElasticLoadBalancingV2Client,
  RegisterTargetsCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { ELBV2_QUERY } from '../answers/xml-answer.ts';
import type { SdkTransport, SdkTransportOptions } from '../sdk/client-config.ts';
import { sendOnceConfig, sendOnceTransport } from '../sdk/send-once-transport.ts';
import type { Elbv2Action } from './actions.ts';

const COMMANDS = {
  DescribeTargetGroups: DescribeTargetGroupsCommand,
  DescribeTargetHealth: DescribeTargetHealthCommand,
  DescribeLoadBalancers: DescribeLoadBalancersCommand,
  RegisterTargets: RegisterTargetsCommand,
  DeregisterTargets: DeregisterTargetsCommand,
} satisfies Readonly<Record<Elbv2Action, unknown>>;

export function sdkElbv2Transport(options: SdkTransportOptions): SdkTransport {
  const client = new ElasticLoadBalancingV2Client(sendOnceConfig(options));
  return sendOnceTransport({ name: 'Elastic Load Balancing', commands: COMMANDS, form: ELBV2_QUERY, client });
}
