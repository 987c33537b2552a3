import type { CallError } from '../cloud-sim-core.ts';

/** EC2's refusals of the core in the words of Elastic Load Balancing. */
const IN_THEIR_WORDS: Readonly<Record<string, string>> = {
  AuthFailure: 'InvalidClientTokenId',
  UnauthorizedOperation: 'AccessDenied',
  RequestLimitExceeded: 'Throttling',
  InternalError: 'InternalFailure',
  MissingParameter: 'ValidationError',
  UnknownParameter: 'ValidationError',
  InvalidParameterValue: 'ValidationError',
};

const STATUS: Readonly<Record<string, number>> = { AccessDenied: 403, InvalidClientTokenId: 403, Throttling: 400 };

export function elbv2ErrorOf(error: CallError): CallError {
  const code = IN_THEIR_WORDS[error.code] ?? error.code;
  const message = error.code === 'RequestLimitExceeded' ? 'Rate exceeded' : error.message;
  return { ...error, code, message, httpStatus: STATUS[code] ?? error.httpStatus };
}
