import { describe, expect, it } from 'vitest';
import { parseHttpAnswer } from './http-answer.ts';

const lines = (...parts: string[]) => parts.join('\r\n');

describe('HTTP answers, however they are cut', () => {
  it.each([
    ['by length', lines('HTTP/1.1 200 OK', 'Content-Length: 5', '', 'i-0abmore'), 200, 'i-0ab', false],
    ['empty', lines('HTTP/1.1 404 Not Found', 'content-length: 0', '', ''), 404, '', false],
    [
      'chunked',
      lines('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked', '', '3', 'i-0', 'a;x=y', '0123456789', '0', '', ''),
      200,
      'i-00123456789',
      false,
    ],
    ['to the end', lines('HTTP/1.0 429 ', 'Server: EC2ws', '', 'slow down'), 429, 'slow down', true],
    [
      'after an interim one',
      lines('HTTP/1.1 103 Early', 'Link: x', '', 'HTTP/1.1 204 No Content', '', ''),
      204,
      '',
      false,
    ],
  ])('%s', (_name, text, status, body, onlyAtEnd) => {
    expect(parseHttpAnswer(text, true)).toEqual({ status, body });
    const cuts = Array.from({ length: text.length + 1 }, (_, length) => parseHttpAnswer(text.slice(0, length), false));
    const complete = cuts.filter((answer) => answer !== null);
    expect(complete.every((answer) => answer.body === body && answer.status === status)).toBe(true);
    expect(complete.length > 0).toBe(!onlyAtEnd);
  });

  it.each([
    ['another protocol', 'SSH-2.0-OpenSSH\r\n\r\n', /not an HTTP answer/],
    ['a length that is none', lines('HTTP/1.1 200 OK', 'Content-Length: -1', '', ''), /not an HTTP answer/],
    [
      'a chunk without a size',
      lines('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked', '', 'zz', ''),
      /not an HTTP answer/,
    ],
    ['half a head', 'HTTP/1.1 200 OK\r\nConte', /closed before/],
    ['half a body', lines('HTTP/1.1 200 OK', 'Content-Length: 5', '', 'i-0'), /closed before/],
    ['nothing', '', /closed before/],
  ])('refuses %s', (_name, text, message) => {
    expect(() => parseHttpAnswer(text, true)).toThrow(message);
  });
});
