import {
  type Ec2Transport,
  eventBusOver,
  regionOfArn,
  sdkEventBridgeTransport,
  sdkSnsTransport,
  type LimitedService,
  type ServiceLimiters,
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
  /** What all calls to a service wait at, whatever the Region of a sink. */
  readonly limiters: Pick<ServiceLimiters, 'of'>;
  /** Gets what closes the clients. */
  readonly closers: (() => void)[];
}

interface SinkService {
  readonly open: typeof sdkSnsTransport;
  readonly limited: LimitedService;
  /** The SDK's variable for its endpoint. */
  readonly variable: string;
}

const SNS: SinkService = { open: sdkSnsTransport, limited: 'sns', variable: 'AWS_ENDPOINT_URL_SNS' };
const EVENTBRIDGE: SinkService = {
  ...{ open: sdkEventBridgeTransport, limited: 'eventbridge', variable: 'AWS_ENDPOINT_URL_EVENTBRIDGE' },
};

/** Everything that is told of changes: webhooks, topics, buses. Each is asked in its own Region. */
export function noticeSender(options: NoticeSenderOptions): SendNotice {
  const { config, clock, environment, secretOf, counted, closers, limiters } = options;
  const { endpoint: ec2 } = config.aws;
  const opened = ({ open, limited, variable }: SinkService, arn: string, callTimeoutMs: number) => {
    const endpoint = serviceEndpointOf({ ec2, own: undefined, variable, environment });
    const sdk = open({ region: regionOfArn(arn), callTimeoutMs, ...(endpoint === undefined ? {} : { endpoint }) });
    closers.push(() => sdk.close());
    return { transport: counted(sdk.send), clock, callTimeoutMs, limiter: limiters.of(limited) };
  };
  return senderOver(config.notify, {
    post: webhookSender({ clock, secretOf }),
    topic: (topicArn, timeoutMs) => topicOver({ ...opened(SNS, topicArn, timeoutMs), topicArn }),
    eventBus: (busArn, timeoutMs) => eventBusOver({ ...opened(EVENTBRIDGE, busArn, timeoutMs), busArn }),
  });
}
