import type { CallError } from '../cloud-sim-core.ts';

/** EC2's refusals of the core in the words of services that speak JSON. */
const IN_THEIR_WORDS: Readonly<Record<string, string>> = {
  AuthFailure: 'UnrecognizedClientException',
  SignatureDoesNotMatch: 'InvalidSignatureException',
  RequestExpired: 'InvalidSignatureException',
  UnauthorizedOperation: 'AccessDeniedException',
  RequestLimitExceeded: 'ThrottlingException',
  InternalError: 'InternalServerError',
  InvalidAction: 'UnknownOperationException',
  MissingParameter: 'ValidationException',
  UnknownParameter: 'ValidationException',
  InvalidParameterValue: 'ValidationException',
};

export function secretsErrorOf({ code, message, httpStatus }: CallError): CallError {
  const own = IN_THEIR_WORDS[code] ?? code;
  return { code: own, message, httpStatus: own === 'InternalServerError' ? 500 : httpStatus >= 500 ? httpStatus : 400 };
}
