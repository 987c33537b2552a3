import {
  type Ec2Transport,
  remoteCommandsOver,
  sdkSsmTransport,
  serviceEndpointOf,
  type ServiceLimiters,
} from '@understudy/aws';
import type { Clock, Log, RemoteCommands } from '@understudy/shared';
import type { CoordinatorConfig } from '../../config.ts';
import type { CommandHookParts } from '../../hooks/command-hook.ts';

export interface InstanceHooksOptions {
  readonly config: CoordinatorConfig;
  readonly region: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly clock: Clock;
  readonly limiters: Pick<ServiceLimiters, 'of'>;
  readonly log: Log;
  /** What is to be done at the end. */
  readonly closers: (() => Promise<void> | void)[];
  /** The same transport, with its calls counted. */
  readonly counting: (send: Ec2Transport) => Ec2Transport;
}

/** Run Command, where hooks run on instances. */
export function instanceHooks(options: InstanceHooksOptions): { readonly onInstances?: CommandHookParts } {
  const { config, clock, log } = options;
  return config.hooks.commands.length === 0 ? {} : { onInstances: { commands: commandsOf(options), clock, log } };
}

/** What Systems Manager has of agents, where people are to be told. */
export const managedNodes = (options: InstanceHooksOptions): { readonly managedNodes?: RemoteCommands } =>
  options.config.aws.tellAgentPings ? { managedNodes: commandsOf(options) } : {};

function commandsOf(options: InstanceHooksOptions): RemoteCommands {
  const { config, region, environment, clock, closers, counting, limiters } = options;
  const { callTimeoutMs, endpoint: ec2, ssmEndpoint: own } = config.aws;
  const endpoint = serviceEndpointOf({ ec2, own, variable: 'AWS_ENDPOINT_URL_SSM', environment });
  const sdk = sdkSsmTransport({ region, callTimeoutMs, ...(endpoint === undefined ? {} : { endpoint }) });
  closers.push(() => sdk.close());
  return remoteCommandsOver({ transport: counting(sdk.send), clock, callTimeoutMs, limiter: limiters.of('ssm') });
}
