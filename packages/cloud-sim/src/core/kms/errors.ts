import type { CallError } from '../cloud-sim-core.ts';

/** EC2's refusals of the core in KMS's words (KMS API Reference, common errors). */
const IN_KMS_WORDS: Readonly<Record<string, string>> = {
  AuthFailure: 'UnrecognizedClientException',
  SignatureDoesNotMatch: 'InvalidSignatureException',
  RequestExpired: 'InvalidSignatureException',
  UnauthorizedOperation: 'AccessDeniedException',
  RequestLimitExceeded: 'ThrottlingException',
  InternalError: 'KMSInternalException',
  InvalidAction: 'UnknownOperationException',
  MissingParameter: 'ValidationException',
  UnknownParameter: 'ValidationException',
  InvalidParameterValue: 'ValidationException',
};

export function kmsErrorOf({ code, message, httpStatus }: CallError): CallError {
  const own = IN_KMS_WORDS[code];
  if (own === undefined) return { code, message, httpStatus };
  return { code: own, message, httpStatus: own === 'KMSInternalException' ? 500 : 400 };
}
