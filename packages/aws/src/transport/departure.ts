import { InvariantViolation, isOperationError } from '@understudy/shared';
import { assertMayStart, notSent } from './not-sent.ts';
import type { Ec2CallOptions } from './transport.ts';

type Next<Args, Output> = (args: Args) => Promise<Output>;

/** The part of an SDK command that is needed to stand right before its request leaves. */
export interface DepartureStack<Args, Output> {
  add(
    middleware: (next: Next<Args, Output>) => Next<Args, Output>,
    options: { readonly step: 'finalizeRequest'; readonly priority: 'low'; readonly name: string },
  ): void;
}

/** Whether the request of one command has left. */
export class Departure {
  readonly #action: string;
  #hasLeft = false;

  private constructor(action: string) {
    this.#action = action;
  }

  /** The command asks `mayStart` once more after signing: a process is paused while it waits. */
  static of<Args extends object, Output>(
    stack: DepartureStack<Args, Output>,
    action: string,
    callOptions: Ec2CallOptions | undefined,
  ): Departure {
    const departure = new Departure(action);
    stack.add(
      (next) => (args) => {
        assertMayStart(action, callOptions);
        departure.#hasLeft = true;
        return next(args);
      },
      { step: 'finalizeRequest', priority: 'low', name: 'understudyMayStart' },
    );
    return departure;
  }

  /** Sends, and says of what never left that it was not sent, whatever the SDK calls it. */
  async send(work: () => Promise<object>): Promise<Record<string, unknown>> {
    try {
      return { ...(await work()) };
    } catch (error) {
      const isOwn = isOperationError(error) || error instanceof InvariantViolation || !(error instanceof Error);
      if (this.#hasLeft || isOwn) throw error;
      if (error.name === 'CredentialsProviderError' || error.name === 'TokenProviderError') throw error;
      const why = `the SDK could not make the request (${error.message}): check the Region and the endpoint`;
      throw notSent(this.#action, why, error);
    }
  }
}
