import { Ec2Error } from '../../core/ec2-error.ts';
import { readRestXml, type RestRoute, restRoutesOf } from '../../schema/rest-xml-codec.ts';
import { writeErrorResponse, writeMessagesError, writeRestXml } from '../../schema/xml-codec.ts';
import type { FindOperation, Protocol, Question, WireRequest } from './protocol.ts';

const contentType = 'text/xml';

interface RestXml {
  /** All its paths begin with it. */
  readonly path: string;
  readonly namespace: string;
  readonly prefix: string;
  readonly model: Readonly<Record<string, unknown>>;
}

function read(request: WireRequest, routes: readonly RestRoute[], find: FindOperation): Question {
  const { pathname, searchParams } = new URL(request.url, 'http://sim');
  for (const { name, method, pattern } of routes) {
    const labels = method === request.method ? pattern.exec(pathname)?.groups : undefined;
    if (labels === undefined) continue;
    const operation = find(name);
    if (operation) return { operation, input: readRestXml(operation, { labels, searchParams, body: request.body }) };
  }
  throw new Ec2Error('InvalidAction', `Unable to find operation for ${request.method} ${pathname}`, 404);
}

/** REST XML: method and path name the operation, XML goes in and comes out. */
export function restXmlProtocol({ path, namespace, prefix, model }: RestXml): Protocol {
  const routes = restRoutesOf(model);
  return {
    requestIdHeader: 'x-amzn-requestid',
    owns: ({ url }) => url.startsWith(path),
    read: (request, find) => read(request, routes, find),
    write: (operation, output) => ({
      ...{ status: 200, contentType },
      body: writeRestXml({ name: operation.action.slice(prefix.length), operation, namespace }, output),
    }),
    refuse: (error, requestId) => ({
      ...{ status: error.httpStatus, contentType },
      body: (error.form === 'messages' ? writeMessagesError : writeErrorResponse)(error, namespace, requestId),
    }),
  };
}
