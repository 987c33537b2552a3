import {
  DeregisterTargetsCommand,
  DescribeLoadBalancersCommand,
  DescribeTargetGroupsCommand,
  DescribeTargetHealthCommand,
  ElasticLoadBalancingV2Client,
  RegisterTargetsCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { invariant } from '@understudy/shared';
import { checkAnswers } from '../answers/check-answers.ts';
import { ELBV2_QUERY } from '../answers/xml-answer.ts';
import { clientConfigOf, type SdkTransport, type SdkTransportOptions } from '../ec2/sdk-transport.ts';
import { Departure } from '../transport/departure.ts';
import type { Elbv2Action } from './actions.ts';

type CommandClass = new (input: never) => object;

const COMMANDS: Readonly<Record<Elbv2Action, CommandClass>> = {
  DescribeTargetGroups: DescribeTargetGroupsCommand,
  DescribeTargetHealth: DescribeTargetHealthCommand,
  DescribeLoadBalancers: DescribeLoadBalancersCommand,
  RegisterTargets: RegisterTargetsCommand,
  DeregisterTargets: DeregisterTargetsCommand,
};

const isAction = (action: string): action is Elbv2Action => Object.hasOwn(COMMANDS, action);

const CONNECT_MAX_MS = 2_000;

/** The real SDK over HTTP. It sends once; its callers look again anyhow. */
export function sdkElbv2Transport(options: SdkTransportOptions): SdkTransport {
  const client = new ElasticLoadBalancingV2Client(clientConfigOf(options, 1, CONNECT_MAX_MS));
  return {
    send: (action, input, callOptions) => {
      invariant(isAction(action), `no SDK command of Elastic Load Balancing for ${action}`);
      // All commands have this shape. The SDK's own types say so only one by one.
      const command = new COMMANDS[action](input as never) as DescribeTargetHealthCommand;
      const departure = Departure.of(command.middlewareStack, action, callOptions);
      checkAnswers(command.middlewareStack, action, ELBV2_QUERY);
      const signal = callOptions?.signal;
      return departure.send(() => client.send(command, signal ? { abortSignal: signal } : {}));
    },
    close: () => client.destroy(),
  };
}
