import {
  ChangeResourceRecordSetsCommand,
  GetChangeCommand,
  ListResourceRecordSetsCommand,
  Route53Client,
} from '@aws-sdk/client-route-53';
import { ROUTE53_XML } from '../answers/xml-answer.ts';
import type { SdkTransport, SdkTransportOptions } from '../sdk/client-config.ts';
import { sendOnceConfig, sendOnceTransport } from '../sdk/send-once-transport.ts';
import type { Route53Action } from './actions.ts';

const COMMANDS = {
  ListResourceRecordSets: ListResourceRecordSetsCommand,
  ChangeResourceRecordSets: ChangeResourceRecordSetsCommand,
  GetChange: GetChangeCommand,
} satisfies Readonly<Record<Route53Action, unknown>>;

export function sdkRoute53Transport(options: SdkTransportOptions): SdkTransport {
  const client = new Route53Client(sendOnceConfig(options));
  return sendOnceTransport({ name: 'Route 53', commands: COMMANDS, form: ROUTE53_XML, client });
}
