import type { CallError } from './cloud-sim-core.ts';

/** EC2's refusals of the core in the words of services that speak JSON (their common errors). */
const IN_THEIR_WORDS: Readonly<Record<string, string>> = {
  AuthFailure: 'UnrecognizedClientException',
  SignatureDoesNotMatch: 'InvalidSignatureException',
  RequestExpired: 'InvalidSignatureException',
  UnauthorizedOperation: 'AccessDeniedException',
  RequestLimitExceeded: 'ThrottlingException',
  InvalidAction: 'UnknownOperationException',
  MissingParameter: 'ValidationException',
  UnknownParameter: 'ValidationException',
  InvalidParameterValue: 'ValidationException',
};

/**
 * `internal`: what the service calls a fault of its own. That a date is off is told in words only.
 */
export const inJsonWords =
  (internal: string) =>
  ({ code, message, httpStatus }: CallError): CallError => {
    if (code === 'InternalError') return { code: internal, message, httpStatus: 500 };
    const own = IN_THEIR_WORDS[code];
    if (own === undefined) return { code, message, httpStatus };
    return {
      code: own,
      message: code === 'RequestExpired' ? `Signature expired: ${message}` : message,
      httpStatus: 400,
    };
  };
