import { Ec2Error } from '../../core/ec2-error.ts';
import { readQuery } from '../../schema/query-codec.ts';
import { writeError, writeResponse } from '../../schema/xml-codec.ts';
import type { FindOperation, Protocol, Question, WireRequest } from './protocol.ts';

const contentType = 'text/xml;charset=UTF-8';

function read(request: WireRequest, version: string, find: FindOperation): Question {
  const parameters = new URLSearchParams(request.body);
  const action = parameters.get('Action');
  if (action === null) throw new Ec2Error('MissingAction', 'The request is missing an action');
  if (parameters.get('Version') !== version) {
    throw new Ec2Error('NoSuchVersion', `The requested version (${parameters.get('Version')}) of EC2 is not valid`);
  }
  const operation = find(action);
  if (!operation) throw new Ec2Error('InvalidAction', `The action ${action} is not valid for this web service.`);
  return { operation, input: readQuery(operation, parameters) };
}

/** The EC2 Query protocol: a form goes in, XML comes out. `version`: of the API. */
export const queryProtocol = (version: string): Protocol => ({
  requestIdHeader: null,
  owns: () => true,
  read: (request, find) => read(request, version, find),
  write: (operation, output, requestId) => ({
    ...{ status: 200, contentType },
    body: writeResponse(operation, output, requestId),
  }),
  refuse: ({ code, message, httpStatus }, requestId) => ({
    ...{ status: httpStatus, contentType },
    body: writeError(code, message, requestId),
  }),
});
