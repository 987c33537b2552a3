import type { CallError } from '../cloud-sim-core.ts';

interface Words {
  /** The class of the error, as the JSON protocol names it. */
  readonly code: string;
  /** The code of the older query protocol, which goes along in a header. */
  readonly queryCode: string;
  readonly httpStatus: number;
}

const same = (code: string, httpStatus = 400): Words => ({ code, queryCode: code, httpStatus });

/** The core's refusals in SQS's words (SQS API reference, errors of each action; common errors). */
const IN_SQS_WORDS: Readonly<Record<string, Words>> = {
  AuthFailure: { code: 'UnrecognizedClientException', queryCode: 'InvalidClientTokenId', httpStatus: 403 },
  SignatureDoesNotMatch: same('SignatureDoesNotMatch', 403),
  RequestExpired: same('RequestExpired'),
  UnauthorizedOperation: { code: 'AccessDeniedException', queryCode: 'AccessDenied', httpStatus: 403 },
  RequestLimitExceeded: { code: 'RequestThrottled', queryCode: 'RequestThrottled', httpStatus: 403 },
  InternalError: { code: 'InternalFailure', queryCode: 'InternalFailure', httpStatus: 500 },
  InvalidAction: { code: 'UnknownOperationException', queryCode: 'InvalidAction', httpStatus: 400 },
  QueueDoesNotExist: {
    ...{ code: 'QueueDoesNotExist', queryCode: 'AWS.SimpleQueueService.NonExistentQueue', httpStatus: 400 },
  },
  MessageNotInflight: {
    ...{ code: 'MessageNotInflight', queryCode: 'AWS.SimpleQueueService.MessageNotInflight', httpStatus: 400 },
  },
};

export function sqsErrorOf({ code, message, httpStatus }: CallError): CallError {
  const { code: own, queryCode, httpStatus: status } = IN_SQS_WORDS[code] ?? same(code, httpStatus);
  return { code: own, queryCode, message, httpStatus: status };
}
