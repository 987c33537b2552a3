import { Ec2Error } from '../../core/ec2-error.ts';
import { readJson, writeJson, writeJsonError } from '../../schema/json-codec.ts';
import type { OperationSchema } from '../../schema/operation-schema.ts';
import type { FindOperation, Protocol, Question, WireRequest } from './protocol.ts';

function read(request: WireRequest, target: string, find: FindOperation): Question {
  const name = targetOf(request).slice(`${target}.`.length);
  const operation = find(name);
  if (!operation) throw new Ec2Error('InvalidAction', 'The requested operation is not known');
  return { operation, input: bodyOf(operation, request) };
}

const targetOf = ({ headers }: WireRequest): string => String(headers['x-amz-target'] ?? '');

function bodyOf(operation: OperationSchema, request: WireRequest): Record<string, unknown> {
  try {
    return readJson(operation, request.body);
  } catch {
    throw new Ec2Error('SerializationException', 'The body is no JSON');
  }
}

/** What has no output has no body, as SQS answers it. */
const isEmptyOf = (version: string, { output }: OperationSchema): boolean =>
  version === '1.0' && (!output.isStructSchema() || [...output.structIterator()].length === 0);

/**
 * AWS JSON: the operation is in the `X-Amz-Target` header, as `TARGET.Operation`. `target` is the
 * service's name there.
 */
export const jsonProtocol = (target: string, version: '1.0' | '1.1'): Protocol => {
  const contentType = `application/x-amz-json-${version}`;
  return {
    requestIdHeader: 'x-amzn-requestid',
    owns: (request) => targetOf(request).startsWith(`${target}.`),
    read: (request, find) => read(request, target, find),
    write: (operation, output) => ({
      ...{ status: 200, contentType },
      body: isEmptyOf(version, operation) ? '' : writeJson(operation, output),
    }),
    refuse: ({ code, message, httpStatus, queryCode }) => ({
      ...{ status: httpStatus, contentType, body: writeJsonError(code, message) },
      ...(queryCode !== undefined && {
        headers: { 'x-amzn-query-error': `${queryCode};${httpStatus >= 500 ? 'Receiver' : 'Sender'}` },
      }),
    }),
  };
};
