import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

/** What these tests need of an OpenAPI document. */
export interface ApiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, ApiOperation>>>>;
  readonly components: object;
}

export interface ApiOperation {
  readonly operationId: string;
  readonly security: readonly object[];
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly requestBody?: object;
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema?: object }>> }>
  >;
}

export interface Received {
  readonly status: number;
  /** Without its parameters. Empty: none. */
  readonly mediaType: string;
  readonly body: string;
}

/** Why an answer is not one that the document has for the operation. Null: it is. */
export function contractFault(document: ApiDocument, operation: ApiOperation, received: Received): string | null {
  const { status, mediaType, body } = received;
  const described = operation.responses[String(status)];
  if (!described) return `status ${status} is not described (${body.slice(0, 200)})`;
  if (mediaType === '') return described.content === undefined || body === '' ? null : 'it has no media type';
  const content =
    described.content?.[mediaType] ??
    Object.entries(described.content ?? {}).find(([type]) => type.startsWith(mediaType))?.[1];
  if (!content) return `${mediaType} is not described for ${status}`;
  if (!content.schema || !mediaType.endsWith('json')) return null;
  const ajv = new Ajv2020({ strict: false, allErrors: false });
  addFormats.default(ajv);
  const validate = ajv.compile({ ...content.schema, components: document.components });
  return validate(JSON.parse(body)) ? null : ajv.errorsText(validate.errors);
}
