import { DescribeEventBusCommand, EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { AWS_JSON_1_1 } from '../answers/json-answer.ts';
import type { SdkTransport, SdkTransportOptions } from '../sdk/client-config.ts';
import { sendOnceConfig, sendOnceTransport } from '../sdk/send-once-transport.ts';
import type { EventBridgeAction } from './actions.ts';

const COMMANDS = {
  PutEvents: PutEventsCommand,
  DescribeEventBus: DescribeEventBusCommand,
} satisfies Readonly<Record<EventBridgeAction, unknown>>;

/** `region`: that of the bus. */
export function sdkEventBridgeTransport(options: SdkTransportOptions): SdkTransport {
  const client = new EventBridgeClient(sendOnceConfig(options));
  return sendOnceTransport({ name: 'EventBridge', commands: COMMANDS, form: AWS_JSON_1_1, client });
}
