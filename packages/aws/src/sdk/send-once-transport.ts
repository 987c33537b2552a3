import { invariant } from '@understudy/shared';
import { type AnswerStack, checkAnswers } from '../answers/check-answers.ts';
import type { AnswerForm } from '../answers/own-answer.ts';
import { Departure, type DepartureStack } from '../transport/departure.ts';
import { clientConfigOf, type SdkTransport, type SdkTransportOptions } from './client-config.ts';

type CommandClass = new (input: never) => object;

/** What all commands of the SDK have. Its own types say so only one by one. */
interface Command {
  readonly middlewareStack: AnswerStack<object, { readonly response: unknown }> & DepartureStack<object, unknown>;
}

/** Longest wait for a connection. Some control planes are in one Region, maybe far away. */
const CONNECT_MAX_MS = 2_000;

/** The configuration of a client that makes one attempt. */
export const sendOnceConfig = (options: SdkTransportOptions): ReturnType<typeof clientConfigOf> =>
  clientConfigOf(options, 1, CONNECT_MAX_MS);

/** A service that is sent each request once. */
export interface OnceService<Action extends string> {
  /** Its name, for people. */
  readonly name: string;
  readonly commands: Readonly<Record<Action, CommandClass>>;
  /** The form of its own answers (S18). */
  readonly form: AnswerForm;
  /** Its SDK client, with one attempt (`clientConfigOf`). */
  readonly client: {
    send(command: never, options: { readonly abortSignal?: AbortSignal }): Promise<object>;
    destroy(): void;
  };
}

/**
 * The real SDK over HTTP. It sends once: its callers look again anyhow, and a look says what came
 * of a change.
 */
export function sendOnceTransport<Action extends string>(service: OnceService<Action>): SdkTransport {
  const { name, commands, form, client } = service;
  const isAction = (action: string): action is Action => Object.hasOwn(commands, action);
  return {
    send: (action, input, callOptions) => {
      invariant(isAction(action), `no SDK command of ${name} for ${action}`);
      const command = new commands[action](input as never) as Command;
      const departure = Departure.of(command.middlewareStack, action, callOptions);
      checkAnswers(command.middlewareStack, action, form);
      const signal = callOptions?.signal;
      return departure.send(() => client.send(command as never, signal ? { abortSignal: signal } : {}));
    },
    close: () => client.destroy(),
  };
}
