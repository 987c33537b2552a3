import { describe, expect, it } from 'vitest';
import { AWS_JSON_1_0, AWS_JSON_1_1 } from './json-answer.ts';
import { foreignness, type RawAnswer } from './own-answer.ts';

const OWN: RawAnswer = {
  ...{ status: 200, contentType: 'application/x-amz-json-1.1', requestId: 'r', body: '{"KeyMetadata":{}}' },
};
const REFUSAL: RawAnswer = { ...OWN, status: 400, body: '{"__type":"NotFoundException","message":"m"}' };
const judge = (answer: RawAnswer) => foreignness(AWS_JSON_1_1, 'DescribeKey', answer);

describe('an answer in JSON is the service’s own when', () => {
  it.each<readonly [string, RawAnswer]>([
    ['it has content type and request id', OWN],
    ['its content type names a charset', { ...OWN, contentType: 'application/x-amz-json-1.1; charset=utf-8' }],
    ['it is an empty object: what has to be in it is the adapter’s to see', { ...OWN, body: '{}' }],
    ['it is a refusal with a type', REFUSAL],
    ['that type has a namespace', { ...REFUSAL, body: '{"__type":"com.amazonaws.kms#NotFoundException"}' }],
    ['it is a fault of the server with a type', { ...REFUSAL, status: 500, body: '{"__type":"KMSInternalException"}' }],
  ])('%s', (_, answer) => expect(judge(answer)).toBeNull());
});

describe('an answer in JSON is somebody else’s when', () => {
  it.each<readonly [Partial<RawAnswer>, string]>([
    [{ contentType: 'text/html', body: '<html></html>' }, 'its content type is not application/x-amz-json-1.1'],
    [{ contentType: 'application/json' }, 'its content type is not application/x-amz-json-1.1'],
    [{ contentType: '' }, 'its content type is not application/x-amz-json-1.1'],
    [{ requestId: '' }, 'it has no x-amzn-requestid'],
    [{ body: '' }, 'its body is empty'],
    [{ body: '{"KeyMetadata":' }, 'its body is no JSON'],
    [{ body: '[]' }, 'its body is no JSON object'],
    [{ body: 'null' }, 'its body is no JSON object'],
    [{ body: REFUSAL.body }, 'it is an error with a status of success'],
    [{ status: 403, body: '{"message":"Forbidden"}' }, 'its body names no error type'],
    [{ status: 404, body: '{"__type":"not found"}' }, 'its body names no error type'],
    [{ status: 404, contentType: 'text/plain', body: 'nothing' }, 'its content type is not application/x-amz-json-1.1'],
    [{ status: 502, requestId: '', body: REFUSAL.body }, 'it has no x-amzn-requestid'],
  ])('%j: %s', (part, text) => {
    const answer = { ...OWN, ...part };
    expect(judge(answer)).toBe(`HTTP ${answer.status} (${answer.contentType || 'no content type'}): ${text}`);
  });
});

describe('JSON 1.0, as SQS speaks it', () => {
  const own = { ...OWN, contentType: 'application/x-amz-json-1.0' };
  it.each<readonly [string, string, RawAnswer, string | null]>([
    ['what has no output has no body', 'DeleteMessage', { ...own, body: '' }, null],
    ['what has one has to have it', 'ReceiveMessage', { ...own, body: '' }, 'its body is empty'],
    ['an empty page is nobody’s answer', 'DeleteMessage', { ...own, body: '', requestId: '' }, 'no x-amzn-requestid'],
    ['nor is one of the other version', 'DeleteMessage', { ...OWN, body: '' }, 'content type is not'],
  ])('%s', (_, action, answer, fault) => {
    const found = foreignness(AWS_JSON_1_0, action, answer);
    if (fault === null) expect(found).toBeNull();
    else expect(found).toContain(fault);
  });
});
