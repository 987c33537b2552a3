import { type AnswerForm, ForeignAnswer, foreignness } from './own-answer.ts';

/** More than any answer of ours. A longer one is not read to its end. */
const BODY_BYTES_MAX = 64 * 1024 * 1024;

/** The part of an answer of the SDK's HTTP handler that we use. */
interface HttpAnswer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  body: unknown;
}

type Next<Args, Output> = (args: Args) => Promise<Output>;

/** The part of an SDK command that is needed to stand between its HTTP handler and its parser. */
export interface AnswerStack<Args, Output> {
  add(
    middleware: (next: Next<Args, Output>) => Next<Args, Output>,
    options: { readonly step: 'deserialize'; readonly priority: 'low'; readonly name: string },
  ): void;
}

/**
 * Lets a command accept only the service's own answers to that action.
 * @throws (from the command's send) {@link ForeignAnswer}, before the SDK parses anything and
 * without its retries.
 */
export function checkAnswers<Args extends object, Output extends { readonly response: unknown }>(
  stack: AnswerStack<Args, Output>,
  action: string,
  form: AnswerForm,
): void {
  stack.add(
    (next) => async (args) => {
      const result = await next(args);
      const response = result.response as HttpAnswer;
      const bytes = await bytesOf(response.body);
      response.body = bytes;
      const { statusCode: status, headers } = response;
      const contentType = headers['content-type'] ?? '';
      const requestId = headers['x-amzn-requestid'] ?? '';
      const answer = { status, contentType, requestId, body: bytes.toString('utf8') };
      const fault = foreignness(form, action, answer);
      if (fault !== null) throw new ForeignAnswer(fault, status);
      const asRead = form.asRead?.(answer) ?? null;
      if (asRead !== null) response.body = Buffer.from(asRead);
      return result;
    },
    { step: 'deserialize', priority: 'low', name: 'understudyOwnAnswer' },
  );
}

async function bytesOf(body: unknown): Promise<Buffer> {
  if (body === undefined || body === null) return Buffer.alloc(0);
  if (typeof body === 'string' || body instanceof Uint8Array) return Buffer.from(body);
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of body as AsyncIterable<Uint8Array>) {
    size += part.length;
    if (size > BODY_BYTES_MAX) throw new ForeignAnswer(`its body is longer than ${BODY_BYTES_MAX} bytes`, 0);
    parts.push(Buffer.from(part));
  }
  return Buffer.concat(parts);
}
