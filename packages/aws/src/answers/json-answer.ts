import { rawOf, textOf } from '@understudy/shared';
import type { AnswerForm, RawAnswer } from './own-answer.ts';

const CONTENT_TYPE = /^application\/x-amz-json-1\.1\s*(?:;|$)/i;

/** The object in the body, or in words why this is no answer of this protocol. */
function objectIn({ contentType, requestId, body }: RawAnswer): Readonly<Record<string, unknown>> | string {
  if (!CONTENT_TYPE.test(contentType)) return 'its content type is not application/x-amz-json-1.1';
  if (requestId === '') return 'it has no x-amzn-requestid';
  try {
    const parsed: unknown = JSON.parse(body);
    const isObject = typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed);
    return isObject ? rawOf(parsed) : 'its body is no JSON object';
  } catch {
    return body.trim() === '' ? 'its body is empty' : 'its body is no JSON';
  }
}

/**
 * The JSON 1.1 protocol (Smithy, awsJson1_1). Content type and request id stand in the header; a
 * refusal names its type in `__type`. The adapter checks what an answer is about.
 */
export const AWS_JSON_1_1: AnswerForm = {
  success(_action, answer) {
    const found = objectIn(answer);
    if (typeof found === 'string') return found;
    return textOf(found.__type) === null ? null : 'it is an error with a status of success';
  },
  refusal(answer) {
    const found = objectIn(answer);
    if (typeof found === 'string') return found;
    return /^(?:[\w.]+#)?[A-Z]\w+$/.test(textOf(found.__type) ?? '') ? null : 'its body names no error type';
  },
};
