import { XmlShapeSerializer } from '@aws-sdk/core/protocols';
import type { OperationSchema } from './operation-schema.ts';

const NAMESPACE = 'http://ec2.amazonaws.com/doc/2016-11-15/';
/** Smithy's number for `date-time` (ISO 8601). */
const DATE_TIME = 5;

const escapeXml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

const PROLOG = '<?xml version="1.0" encoding="UTF-8"?>\n';

/** The members of an output in SDK names as elements, by the SDK's own serializer. */
function membersOf({ output: schema }: OperationSchema, output: Record<string, unknown>, namespace: string): string {
  const serializer = new XmlShapeSerializer({
    timestampFormat: { useTrait: true, default: DATE_TIME },
    xmlNamespace: namespace,
    serviceNamespace: 'sim',
    httpBindings: false,
  });
  serializer.write(schema, output);
  const document = String(serializer.flush());
  return /^<[^>]*?(?:\/>|>([\s\S]*)<\/[^>]+>)$/.exec(document)?.[1] ?? '';
}

/** EC2's response document. Only the root is ours. */
export function writeResponse(operation: OperationSchema, output: Record<string, unknown>, requestId: string): string {
  const open = `<${operation.action}Response xmlns="${NAMESPACE}"><requestId>${escapeXml(requestId)}</requestId>`;
  const close = `</${operation.action}Response>`;
  if (!operation.output.isStructSchema()) return `${PROLOG}${open}<return>true</return>${close}`;
  return `${PROLOG}${open}${membersOf(operation, output, NAMESPACE)}${close}`;
}

/** The response document of the plain query protocol: its members stand in a result. */
export function writeResult(
  { name, operation, namespace }: { name: string; operation: OperationSchema; namespace: string },
  output: Record<string, unknown>,
  requestId: string,
): string {
  const inner = operation.output.isStructSchema() ? membersOf(operation, output, namespace) : '';
  const id = `<ResponseMetadata><RequestId>${escapeXml(requestId)}</RequestId></ResponseMetadata>`;
  return `${PROLOG}<${name}Response xmlns="${namespace}"><${name}Result>${inner}</${name}Result>${id}</${name}Response>`;
}

/** The response document of REST XML: the output itself is the root. */
export function writeRestXml(
  { name, operation, namespace }: { name: string; operation: OperationSchema; namespace: string },
  output: Record<string, unknown>,
): string {
  return `${PROLOG}<${name}Response xmlns="${namespace}">${membersOf(operation, output, namespace)}</${name}Response>`;
}

/** How the plain query protocol and REST XML refuse. */
export const writeErrorResponse = (
  { code, message, httpStatus }: { code: string; message: string; httpStatus: number },
  namespace: string,
  requestId: string,
): string =>
  `${PROLOG}<ErrorResponse xmlns="${namespace}"><Error><Type>${httpStatus < 500 ? 'Sender' : 'Receiver'}</Type><Code>${escapeXml(code)}</Code><Message>${escapeXml(message)}</Message></Error><RequestId>${escapeXml(requestId)}</RequestId></ErrorResponse>`;

/** The older form, which Route 53's API reference still shows: the code itself is the root. */
export const writeMessagesError = (
  { code, message }: { code: string; message: string },
  namespace: string,
  requestId: string,
): string =>
  `${PROLOG}<${code} xmlns="${namespace}"><Messages><Message>${escapeXml(message)}</Message></Messages><RequestId>${escapeXml(requestId)}</RequestId></${code}>`;

export const writeError = (code: string, message: string, requestId: string): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<Response><Errors><Error><Code>${escapeXml(code)}</Code><Message>${escapeXml(
    message,
  )}</Message></Error></Errors><RequestID>${escapeXml(requestId)}</RequestID></Response>`;
