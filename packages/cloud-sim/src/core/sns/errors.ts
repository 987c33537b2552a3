import type { CallError } from '../cloud-sim-core.ts';

/** The core's refusals in SNS's words (SNS API reference, errors of Publish; common errors). */
const IN_SNS_WORDS: Readonly<Record<string, readonly [string, number]>> = {
  AuthFailure: ['InvalidClientTokenId', 403],
  SignatureDoesNotMatch: ['SignatureDoesNotMatch', 403],
  UnauthorizedOperation: ['AuthorizationError', 403],
  RequestLimitExceeded: ['Throttled', 429],
  InternalError: ['InternalError', 500],
  InvalidAction: ['InvalidAction', 400],
  MissingParameter: ['InvalidParameter', 400],
  UnknownParameter: ['InvalidParameter', 400],
  InvalidParameterValue: ['InvalidParameter', 400],
  NotFound: ['NotFound', 404],
};

export function snsErrorOf({ code, message, httpStatus }: CallError): CallError {
  const [own, status] = IN_SNS_WORDS[code] ?? [code, httpStatus];
  return { code: own, message, httpStatus: status };
}
