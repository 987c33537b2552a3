import { remoteCommandsOver, sdkSsmTransport, serviceEndpointOf, type Ec2Transport } from '@understudy/aws';
import type { Clock, Log } from '@understudy/shared';
import type { CoordinatorConfig } from '../../config.ts';
import type { CommandHookParts } from '../../hooks/command-hook.ts';

export interface InstanceHooksOptions {
  readonly config: CoordinatorConfig;
  readonly region: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly clock: Clock;
  readonly log: Log;
  /** What is to be done at the end. */
  readonly closers: (() => Promise<void> | void)[];
  /** The same transport, with its calls counted. */
  readonly counting: (send: Ec2Transport) => Ec2Transport;
}

/** Run Command, where hooks run on instances. */
export function instanceHooks(options: InstanceHooksOptions): { readonly onInstances?: CommandHookParts } {
  const { config, region, environment, clock, log, closers, counting } = options;
  if (config.hooks.commands.length === 0) return {};
  const { callTimeoutMs, endpoint: ec2, ssmEndpoint: own } = config.aws;
  const endpoint = serviceEndpointOf({ ec2, own, variable: 'AWS_ENDPOINT_URL_SSM', environment });
  const sdk = sdkSsmTransport({ region, callTimeoutMs, ...(endpoint === undefined ? {} : { endpoint }) });
  closers.push(() => sdk.close());
  const commands = remoteCommandsOver({ transport: counting(sdk.send), clock, callTimeoutMs });
  return { onInstances: { commands, clock, log } };
}
