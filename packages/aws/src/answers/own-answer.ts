/**
 * Tells whether an answer is the service's own answer to this action. A proxy that inspects TLS, a
 * captive page or a wrong endpoint answers with pages of its own, also with status 200. An SDK
 * makes an answer without members of an empty body, or of XML it does not know: a listing would
 * read as "nothing there", a delete as done (S18).
 *
 * It only looks whose answer it is; the SDK takes it apart. Pure.
 */

export interface RawAnswer {
  readonly status: number;
  readonly contentType: string;
  /** `x-amzn-requestid`. Empty where there is none, as with EC2, which has it in the body. */
  readonly requestId: string;
  readonly body: string;
}

/** How the answers of one AWS protocol are told from others. */
export interface AnswerForm {
  /** Null: it is the answer to `action`. Otherwise what is wrong with it, in words. */
  success(action: string, answer: RawAnswer): string | null;
  /** Null: it is a refusal in the protocol's form. Otherwise what is wrong with it. */
  refusal(answer: RawAnswer): string | null;
  /** What the SDK is given to read in place of the body. Null, or absent: the body itself. */
  asRead?(answer: RawAnswer): string | null;
}

/**
 * The first element after the prolog: [name without prefix, rest]. Comments and a doctype are
 * skipped.
 */
export function rootOf(body: string): string | null {
  const prolog = /^﻿?\s*(?:<\?[^>]*\?>\s*|<!--[\s\S]*?-->\s*|<!DOCTYPE[^>]*>\s*)*/i.exec(body)?.[0].length ?? 0;
  return /^<(?:[\w.-]+:)?([\w.-]+)[\s>/]/.exec(body.slice(prolog, prolog + 512))?.[1] ?? null;
}

export const isClosed = (body: string, root: string): boolean =>
  new RegExp(`</(?:[\\w.-]+:)?${root}\\s*>\\s*$`).test(body.slice(-256));

export const rootText = (root: string | null, body: string): string => {
  if (body.trim() === '') return 'its body is empty';
  return root === null ? 'its body is no XML' : `its body is a <${root}>`;
};

/**
 * Checked only for calls that change something, whose answers often carry nothing else. Reads are
 * checked by their lists, because some implementations of EC2 name another namespace there.
 */
function isForeignNamespace(action: string, body: string): boolean {
  if (/^(?:Describe|Get)/.test(action)) return false;
  const namespace = /^[^<]*(?:<[?!][^>]*>[^<]*)*<[^>]*?\sxmlns(?::[\w.-]+)?\s*=\s*["']([^"']*)["']/.exec(
    body.slice(0, 2_048),
  )?.[1];
  return namespace !== undefined && !namespace.startsWith('http://ec2.amazonaws.com/doc/');
}

/**
 * EC2's form of the query protocol: `<ActionResponse>` with a `requestId`. Where `<return>` is
 * given it says `true` (other implementations of EC2 leave it out). Refusals:
 * `<Response><Errors><Error><Code>` with a `RequestID` (EC2 API reference, Query requests;
 * errors-overview).
 */
export const EC2_QUERY: AnswerForm = {
  success(action, { body }) {
    const root = rootOf(body);
    const wanted = `${action}Response`;
    if (root !== wanted) return `${rootText(root, body)}, not a <${wanted}>`;
    if (!isClosed(body, wanted)) return `its <${wanted}> is cut off`;
    if (!/<requestId>[^<]+<\/requestId>/.test(body)) return `its <${wanted}> has no requestId`;
    if (isForeignNamespace(action, body)) return `its <${wanted}> is not in EC2's namespace`;
    const said = /<return>\s*([^<]*?)\s*<\/return>/.exec(body)?.[1];
    return said === undefined || said === 'true' ? null : `it returns "${said}"`;
  },
  refusal({ body }) {
    const root = rootOf(body);
    if (root !== 'Response') return `${rootText(root, body)}, not an EC2 error`;
    if (!isClosed(body, 'Response')) return 'its <Response> is cut off';
    const hasCode = /<Errors>\s*<Error>[\s\S]*?<Code>\s*[A-Za-z][\w.]*\s*<\/Code>/.test(body);
    if (!hasCode) return 'its <Response> has no error code';
    return /<RequestI[Dd]>[^<]+<\/RequestI[Dd]>/.test(body) ? null : 'its <Response> has no RequestID';
  },
};

/**
 * Null: it is the service's own answer to `action`. Otherwise why not, with status and content
 * type, for people.
 */
export function foreignness(form: AnswerForm, action: string, answer: RawAnswer): string | null {
  const { status, contentType } = answer;
  const isSuccess = status >= 200 && status < 300;
  const fault = isSuccess ? form.success(action, answer) : form.refusal(answer);
  return fault === null ? null : `HTTP ${status} (${contentType || 'no content type'}): ${fault}`;
}

/**
 * Thrown when something other than the service answered. Whether the request reached the service is
 * unknown.
 */
export class ForeignAnswer extends Error {
  override readonly name = 'ForeignAnswer';
  readonly $metadata: { readonly httpStatusCode: number };

  constructor(text: string, httpStatusCode: number) {
    super(text);
    this.$metadata = { httpStatusCode };
  }
}
