import { Ec2Error } from '../../core/ec2-error.ts';
import { PLAIN_QUERY, readQuery } from '../../schema/query-codec.ts';
import { writeErrorResponse, writeResult } from '../../schema/xml-codec.ts';
import type { FindOperation, Protocol, Question, WireRequest } from './protocol.ts';

const contentType = 'text/xml';

interface PlainQuery {
  /** The API's version tells the service from others that take forms. */
  readonly version: string;
  readonly namespace: string;
  /** Before its actions in the names of operations. */
  readonly prefix: string;
}

function read(request: WireRequest, find: FindOperation): Question {
  const parameters = new URLSearchParams(request.body);
  const action = parameters.get('Action') ?? '';
  const operation = find(action);
  if (!operation) throw new Ec2Error('InvalidAction', `Could not find operation ${action}`);
  return { operation, input: readQuery(operation, parameters, PLAIN_QUERY) };
}

/** The query protocol (awsQuery): lists are `Name.member.1`, and an answer stands in a result. */
export const plainQueryProtocol = ({ version, namespace, prefix }: PlainQuery): Protocol => ({
  requestIdHeader: 'x-amzn-requestid',
  owns: ({ method, url, body }) =>
    method === 'POST' && url === '/' && new URLSearchParams(body).get('Version') === version,
  read,
  write: (operation, output, requestId) => {
    const name = operation.action.slice(prefix.length);
    return { status: 200, contentType, body: writeResult({ name, operation, namespace }, output, requestId) };
  },
  refuse: (error, requestId) => ({
    ...{ status: error.httpStatus, contentType },
    body: writeErrorResponse(error, namespace, requestId),
  }),
});
