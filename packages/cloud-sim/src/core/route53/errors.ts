import type { CallError } from '../cloud-sim-core.ts';

/** EC2's refusals of the core in Route 53's words. Its throttle is a 400, unlike EC2's. */
const IN_ROUTE53_WORDS: Readonly<Record<string, string>> = {
  AuthFailure: 'InvalidClientTokenId',
  UnauthorizedOperation: 'AccessDenied',
  RequestLimitExceeded: 'Throttling',
  InternalError: 'InternalError',
  MissingParameter: 'InvalidInput',
  UnknownParameter: 'InvalidInput',
  InvalidParameterValue: 'InvalidInput',
};

const STATUS: Readonly<Record<string, number>> = { AccessDenied: 403, InvalidClientTokenId: 403, Throttling: 400 };

export function route53ErrorOf(error: CallError): CallError {
  const code = IN_ROUTE53_WORDS[error.code] ?? error.code;
  const message = error.code === 'RequestLimitExceeded' ? 'Rate exceeded' : error.message;
  return { ...error, code, message, httpStatus: STATUS[code] ?? error.httpStatus };
}
