import { rawOf, textOf } from '@understudy/shared';
import type { AnswerForm, RawAnswer } from './own-answer.ts';

/** The object in the body, or in words why this is no answer of this protocol. */
function objectIn(version: string, answer: RawAnswer): Readonly<Record<string, unknown>> | string {
  const { contentType, requestId, body } = answer;
  const wanted = `application/x-amz-json-${version}`;
  if (contentType.split(';')[0]?.trim().toLowerCase() !== wanted) return `its content type is not ${wanted}`;
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
 * The JSON protocols (Smithy, awsJson1_0 and awsJson1_1). Content type and request id stand in the
 * header; a refusal names its type in `__type`. The adapter checks what an answer is about.
 * `empty`: actions whose success has no body.
 */
const jsonForm = (version: '1.0' | '1.1', empty: readonly string[]): AnswerForm => ({
  success(action, answer) {
    const isEmpty = answer.body === '' && empty.includes(action);
    const found = objectIn(version, isEmpty ? { ...answer, body: '{}' } : answer);
    if (typeof found === 'string') return found;
    return textOf(found.__type) === null ? null : 'it is an error with a status of success';
  },
  refusal(answer) {
    const found = objectIn(version, answer);
    if (typeof found === 'string') return found;
    return /^(?:[\w.]+#)?[A-Z]\w+$/.test(textOf(found.__type) ?? '') ? null : 'its body names no error type';
  },
});

export const AWS_JSON_1_1: AnswerForm = jsonForm('1.1', []);
/** SQS answers what has no output without a body (SQS API reference, DeleteMessage). */
export const AWS_JSON_1_0: AnswerForm = jsonForm('1.0', ['DeleteMessage', 'ChangeMessageVisibility']);
