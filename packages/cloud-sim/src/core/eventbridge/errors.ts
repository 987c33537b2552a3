import type { CallError } from '../cloud-sim-core.ts';

/** The core's refusals in EventBridge's words (API reference, errors of actions; common errors). */
const IN_THEIR_WORDS: Readonly<Record<string, string>> = {
  AuthFailure: 'UnrecognizedClientException',
  SignatureDoesNotMatch: 'InvalidSignatureException',
  RequestExpired: 'InvalidSignatureException',
  UnauthorizedOperation: 'AccessDeniedException',
  RequestLimitExceeded: 'ThrottlingException',
  InternalError: 'InternalException',
  InvalidAction: 'UnknownOperationException',
  MissingParameter: 'ValidationException',
  UnknownParameter: 'ValidationException',
  InvalidParameterValue: 'ValidationException',
};

export function eventBridgeErrorOf({ code, message, httpStatus }: CallError): CallError {
  const own = IN_THEIR_WORDS[code];
  if (own === undefined) return { code, message, httpStatus };
  return { code: own, message, httpStatus: own === 'InternalException' ? 500 : 400 };
}
