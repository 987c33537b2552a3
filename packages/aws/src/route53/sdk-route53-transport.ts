import {
  ChangeResourceRecordSetsCommand,
  GetChangeCommand,
  ListResourceRecordSetsCommand,
  Route53Client,
} from '@aws-sdk/client-route-53';
import { invariant } from '@understudy/shared';
import { checkAnswers } from '../answers/check-answers.ts';
import { ROUTE53_XML } from '../answers/xml-answer.ts';
import { clientConfigOf, type SdkTransport, type SdkTransportOptions } from '../ec2/sdk-transport.ts';
import { Departure } from '../transport/departure.ts';
import type { Route53Action } from './actions.ts';

type CommandClass = new (input: never) => object;

const COMMANDS: Readonly<Record<Route53Action, CommandClass>> = {
  ListResourceRecordSets: ListResourceRecordSetsCommand,
  ChangeResourceRecordSets: ChangeResourceRecordSetsCommand,
  GetChange: GetChangeCommand,
};

const isAction = (action: string): action is Route53Action => Object.hasOwn(COMMANDS, action);

/** Its control plane is in one Region, maybe far away. */
const CONNECT_MAX_MS = 2_000;

/** The real SDK over HTTP. It sends once: there is no token, and a look says what came of it. */
export function sdkRoute53Transport(options: SdkTransportOptions): SdkTransport {
  const client = new Route53Client(clientConfigOf(options, 1, CONNECT_MAX_MS));
  return {
    send: (action, input, callOptions) => {
      invariant(isAction(action), `no SDK command of Route 53 for ${action}`);
      // All commands have this shape. The SDK's own types say so only one by one.
      const command = new COMMANDS[action](input as never) as GetChangeCommand;
      const departure = Departure.of(command.middlewareStack, action, callOptions);
      checkAnswers(command.middlewareStack, action, ROUTE53_XML);
      const signal = callOptions?.signal;
      return departure.send(() => client.send(command, signal ? { abortSignal: signal } : {}));
    },
    close: () => client.destroy(),
  };
}
