import {
  type Ec2Transport,
  eventBusOver,
  regionOfArn,
  sdkEventBridgeTransport,
  sdkSnsTransport,
  serviceEndpointOf,
  topicOver,
} from '@understudy/aws';
import type { Clock } from '@understudy/shared';
import type { CoordinatorConfig } from '../../config.ts';
import type { SendNotice } from '../../notices/sink.ts';
import { senderOver } from '../../notices/sinks/registry.ts';
import { webhookSender } from './webhook-sender.ts';

export interface NoticeSenderOptions {
  readonly config: CoordinatorConfig;
  readonly clock: Clock;
  readonly environment: NodeJS.ProcessEnv;
  /** By the webhook's name. */
  readonly secretOf: (name: string) => Uint8Array;
  /** The same transport, whose calls are counted. */
  readonly counted: (send: Ec2Transport) => Ec2Transport;
  /** Gets what closes the clients. */
  readonly closers: (() => void)[];
}

/** Everything that is told of changes: webhooks, topics, buses. Each is asked in its own Region. */
export function noticeSender(options: NoticeSenderOptions): SendNotice {
  const { config, clock, environment, secretOf, counted, closers } = options;
  const { endpoint: ec2 } = config.aws;
  const opened = (open: typeof sdkSnsTransport, arn: string, callTimeoutMs: number, variable: string) => {
    const endpoint = serviceEndpointOf({ ec2, own: undefined, variable, environment });
    const sdk = open({ region: regionOfArn(arn), callTimeoutMs, ...(endpoint === undefined ? {} : { endpoint }) });
    closers.push(() => sdk.close());
    return { transport: counted(sdk.send), clock, callTimeoutMs };
  };
  return senderOver(config.notify, {
    post: webhookSender({ clock, secretOf }),
    topic: (topicArn, timeoutMs) =>
      topicOver({ ...opened(sdkSnsTransport, topicArn, timeoutMs, 'AWS_ENDPOINT_URL_SNS'), topicArn }),
    eventBus: (busArn, timeoutMs) =>
      eventBusOver({ ...opened(sdkEventBridgeTransport, busArn, timeoutMs, 'AWS_ENDPOINT_URL_EVENTBRIDGE'), busArn }),
  });
}
