import { API_PROBLEMS, type ApiProblemCode } from '@understudy/shared';

/** A request that is not carried out. It becomes one problem+json answer, see `refusals.ts`. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly code: ApiProblemCode;
  readonly headers: Readonly<Record<string, string>>;
  /** What the caller needs to ask better: the record that is there now … Null: nothing. */
  readonly facts: Readonly<Record<string, unknown>> | null;

  /** `detail`: what was wrong in this case, for the caller. */
  constructor(
    code: ApiProblemCode,
    detail: string,
    headers: Readonly<Record<string, string>> = {},
    facts: Refusal['facts'] = null,
  ) {
    super(detail);
    this.code = code;
    this.headers = headers;
    this.facts = facts;
  }

  get status(): number {
    return API_PROBLEMS[this.code].status;
  }
}
