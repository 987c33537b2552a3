import { DescribeEventBusCommand, EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { AWS_JSON_1_1 } from '../answers/json-answer.ts';
import { clientConfigOf, type SdkTransport, type SdkTransportOptions } from '../sdk/client-config.ts';
import { sendOnceTransport } from '../sdk/send-once-transport.ts';
import type { EventBridgeAction } from './actions.ts';

const COMMANDS = {
  PutEvents: PutEventsCommand,
  DescribeEventBus: DescribeEventBusCommand,
} satisfies Readonly<Record<EventBridgeAction, unknown>>;

const CONNECT_MAX_MS = 2_000;

/** `region`: that of the bus. */
export function sdkEventBridgeTransport(options: SdkTransportOptions): SdkTransport {
  const client = new EventBridgeClient(clientConfigOf(options, 1, CONNECT_MAX_MS));
  return sendOnceTransport({ name: 'EventBridge', commands: COMMANDS, form: AWS_JSON_1_1, client });
}
