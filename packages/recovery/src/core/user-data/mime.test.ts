import { describe, expect, it } from 'vitest';
import { isMime, mimeEntities } from './mime.ts';

const bodies = (text: string) => mimeEntities(text)?.map(({ body }) => body.toString('utf8')) ?? null;
const types = (text: string) => mimeEntities(text)?.map(({ contentType }) => contentType) ?? null;
const message = (...parts: readonly string[]) =>
  `Content-Type: multipart/mixed; boundary="b"\nMIME-Version: 1.0\n\n${parts.map((part) => `--b\n${part}\n`).join('')}--b--\n`;

describe('a text is taken for a message', () => {
  it('when it says MIME-Version within its first 4 096 characters, in any case', () => {
    expect(isMime('mime-VERSION: 1.0')).toBe(true);
    expect(isMime(`${' '.repeat(4_083)}MIME-Version:`)).toBe(true);
    expect(isMime(`${' '.repeat(4_084)}MIME-Version:`)).toBe(false);
    expect(isMime('#!/bin/sh')).toBe(false);
  });
});

describe('the leaves of a message', () => {
  it('are its parts in order; what stands before the first and after the last does not count', () => {
    const text = message('Content-Type: text/A; charset=x\n\none\ntwo', '\nthree');
    const framed = text.replace('\n\n--b', '\n\nbefore\n--b').concat('after\n');
    expect(mimeEntities(framed)).toEqual([
      { contentType: 'text/a', hasMergeType: false, body: Buffer.from('one\ntwo') },
      { contentType: '', hasMergeType: false, body: Buffer.from('three') },
    ]);
  });

  it('are the one body of a message that has no parts', () => {
    expect(mimeEntities('Content-Type: text/plain\nMIME-Version: 1.0\n\nhello\n')).toEqual([
      { contentType: 'text/plain', hasMergeType: false, body: Buffer.from('hello\n') },
    ]);
  });

  it.each([
    ['7bit', 'a=3D', 'a=3D'],
    ['8BIT', 'é', 'é'],
    [' binary ', 'x', 'x'],
    ['base64', 'aGk=', 'hi'],
    ['BASE64', 'aGk=', 'hi'],
    ['quoted-printable', 'a=3Db =\nc=c3=A9', 'a=bcé'],
  ])('are decoded by %s', (encoding, body, expected) => {
    expect(bodies(`Content-Transfer-Encoding: ${encoding}\nMIME-Version: 1.0\n\n${body}`)).toEqual([expected]);
  });

  it.each([
    ['Merge-Type: list(append)', true],
    ['X-Merge-Type: list(append)', true],
    ['x-merge: list(append)', false],
  ])('say how they are merged: %s', (header, hasMergeType) => {
    expect(mimeEntities(message(`${header}\n\nx`))?.map((one) => one.hasMergeType)).toEqual([hasMergeType]);
  });

  it('have headers that go on over lines, in any case, behind the envelope of a mailbox', () => {
    const text =
      'From someone Thu Jan  1\nMIME-Version: 1.0\ncontent-TYPE:\n\tmultipart/mixed;\r\n  boundary=b\n\n--b\n\nx\n--b--';
    expect(bodies(text)).toEqual(['x']);
  });

  it('end their headers at the first line that is none: it belongs to the body', () => {
    expect(bodies('MIME-Version: 1.0\n#!/bin/sh\nmkfs\n')).toEqual(['#!/bin/sh\nmkfs\n']);
    expect(bodies('MIME-Version: 1.0')).toEqual(['']);
    expect(bodies('MIME-Version: 1.0\n  \nx')).toEqual(['x']);
    expect(types('MIME-Version: 1.0\n: x\nContent-Type: text/plain\n\n')).toEqual(['']);
  });

  it('are found when the message breaks off, and when lines end as on Windows', () => {
    expect(bodies('Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b\n\ntwo')).toEqual(['one', 'two']);
    expect(bodies('Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n\r\none\r\n--b--\r\n')).toEqual(['one\r']);
  });

  it('are those of messages within, eight deep', () => {
    const nested = (depth: number): string =>
      depth === 0
        ? '\nx'
        : `Content-Type: multipart/mixed; boundary=b${depth}\n\n--b${depth}\n${nested(depth - 1)}\n--b${depth}--`;
    expect(bodies(nested(8))).toEqual(['x']);
    expect(bodies(nested(9))).toBeNull();
  });

  it('are 64 at most', () => {
    const many = (count: number) => message(...Array.from({ length: count }, () => '\nx'));
    expect(bodies(many(64))).toHaveLength(64);
    expect(bodies(many(65))).toBeNull();
  });
});

describe('a message is not understood', () => {
  it.each([
    ['without a boundary', 'Content-Type: multipart/mixed\n\n--b\n\nx\n--b--'],
    ['whose boundary never comes', 'Content-Type: multipart/mixed; boundary=c\n\n--b\n\nx\n--b--'],
    ['of an encoding nobody knows', 'Content-Transfer-Encoding: x-uuencode\n\nx'],
    ['of which one part is not', message('\nx', 'Content-Transfer-Encoding: x-uuencode\n\nx')],
  ])('%s', (_name, text) => {
    expect(mimeEntities(text)).toBeNull();
  });

  it('but for one that has its end and no part', () => {
    expect(mimeEntities('Content-Type: multipart/mixed; boundary=b\n\n--b--')).toEqual([]);
  });
});
