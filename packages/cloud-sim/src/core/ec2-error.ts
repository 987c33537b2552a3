/**
 * HTTP status of each code for which it is not 400. Statuses beyond the 4xx/5xx class are
 * customary, not documented.
 */
const STATUS: Readonly<Record<string, number>> = {
  DryRunOperation: 412,
  UnauthorizedOperation: 403,
  AuthFailure: 401,
  InvalidClientTokenId: 403,
  RequestExpired: 400,
  RequestLimitExceeded: 503,
  Unavailable: 503,
  ServiceUnavailable: 503,
  InternalError: 500,
  InternalFailure: 500,
  InsufficientInstanceCapacity: 500,
  InsufficientAddressCapacity: 500,
  InsufficientVolumeCapacity: 500,
};

export const httpStatusOf = (code: string): number => STATUS[code] ?? 400;

/** A refusal of EC2, with its own code (API Reference, "Error codes for the Amazon EC2 API"). */
export class Ec2Error extends Error {
  override readonly name = 'Ec2Error';
  readonly code: string;
  readonly httpStatus: number;
  /** An older form of the answer, which some services still give. Absent: the usual one. */
  readonly form?: 'messages';

  constructor(code: string, message: string, httpStatus: number = httpStatusOf(code)) {
    super(message);
    this.code = code;
    this.httpStatus = httpStatus;
  }

  /** The same refusal in the older form. */
  asMessages(): Ec2Error {
    return Object.assign(this, { form: 'messages' as const });
  }
}

export const refuse = (code: string, message: string): never => {
  throw new Ec2Error(code, message);
};
