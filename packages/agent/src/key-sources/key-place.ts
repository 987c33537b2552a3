import type { Clock, MemberId, Random } from '@understudy/shared';

export interface KeyPlace {
  /** Name or ARN; for an enrolment addresses of coordinators, with commas between. */
  readonly reference: string;
  readonly region: string;
  /** Null: the service's own, for this Region. */
  readonly endpoint: string | null;
  /** The member whose key it is. */
  readonly member: MemberId;
  /** Where an agent that enrols keeps its secret. */
  readonly secretFile: string;
  /** Authorities of the coordinators' certificates, PEM. Null: those that Node brings. */
  readonly caFile: string | null;
}

export interface FetchTools {
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * Reads the text at one place, as this instance.
 * @throws an error whose name says what was wrong: the SDK's, or a {@link NamedRefusal}
 */
export type FetchKey = (place: KeyPlace, tools: FetchTools) => Promise<string>;

/** Says why there is no key, under a name that `fetchRemedy` knows a way out of. */
export class NamedRefusal extends Error {
  constructor(name: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = name;
  }
}
