import { XmlShapeSerializer } from '@aws-sdk/core/protocols';
import type { OperationSchema } from './operation-schema.ts';

const NAMESPACE = 'http://ec2.amazonaws.com/doc/2016-11-15/';
/** Smithy's number for `date-time` (ISO 8601). */
const DATE_TIME = 5;

const escapeXml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

/**
 * The response document for an output in SDK names, by the SDK's own serializer. Only the root is
 * ours.
 */
export function writeResponse(operation: OperationSchema, output: Record<string, unknown>, requestId: string): string {
  const open = `<${operation.action}Response xmlns="${NAMESPACE}"><requestId>${escapeXml(requestId)}</requestId>`;
  const close = `</${operation.action}Response>`;
  const prolog = '<?xml version="1.0" encoding="UTF-8"?>\n';
  if (!operation.output.isStructSchema()) return `${prolog}${open}<return>true</return>${close}`;
  const serializer = new XmlShapeSerializer({
    timestampFormat: { useTrait: true, default: DATE_TIME },
    xmlNamespace: NAMESPACE,
    serviceNamespace: 'com.amazonaws.ec2',
    httpBindings: false,
  });
  serializer.write(operation.output, output);
  const document = String(serializer.flush());
  const inner = /^<[^>]*?(?:\/>|>([\s\S]*)<\/[^>]+>)$/.exec(document)?.[1] ?? '';
  return `${prolog}${open}${inner}${close}`;
}

export const writeError = (code: string, message: string, requestId: string): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<Response><Errors><Error><Code>${escapeXml(code)}</Code><Message>${escapeXml(
    message,
  )}</Message></Error></Errors><RequestID>${escapeXml(requestId)}</RequestID></Response>`;
