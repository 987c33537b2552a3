import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { partsOf, TEXT_MAX } from './parts.ts';
import { parseYaml } from './read-yaml.ts';
import { kindByStart, kindByType } from './sniff.ts';

const encoded = (text: string | Buffer): string => Buffer.from(text).toString('base64');
const read = (text: string | Buffer) => partsOf(encoded(text), (packed) => gunzipSync(packed));
const kinds = (text: string | Buffer) => read(text).parts.map(({ kind }) => kind);

describe('what a piece of user data is', () => {
  it.each([
    ['#cloud-config\na: 1', 'cloud-config'],
    ['#cloud-config-archive\n- x', 'archive'],
    ['#cloud-config-jsonp\n[]', 'patch'],
    ['#cloud-boothook\n', 'boothook'],
    ['#include\nhttps://x', 'include'],
    ['#include-once\nhttps://x', 'include'],
    ['#part-handler\n', 'part-handler'],
    ['#upstart-job\n', 'upstart'],
    ['## template: jinja\n#cloud-config', 'template'],
    ['#!/bin/sh', 'script'],
    [' \n\t#CLOUD-CONFIG', 'cloud-config'],
    ['member: db/one', 'inert'],
    ['', 'inert'],
  ])('by its first line: %j', (text, kind) => {
    expect(kindByStart(text)).toBe(kind);
  });

  it.each([
    ['text/cloud-config', 'anything', 'cloud-config'],
    ['text/cloud-config', '#!/bin/sh', 'cloud-config'],
    ['text/x-shellscript', '#!/bin/sh', 'script'],
    ['text/x-shellscript', 'no line of that kind', 'script'],
    ['text/x-shellscript', '#cloud-config\n', 'cloud-config'],
    ['text/plain', '#cloud-config\n', 'cloud-config'],
    ['text/plain', 'hello', 'inert'],
    ['', '#!/bin/sh', 'script'],
    ['', 'hello', 'inert'],
    ['application/octet-stream', '#!/bin/sh', 'unknown'],
  ])('by its declared type %j and its text %j: %s', (type, text, kind) => {
    expect(kindByType(type, text)).toBe(kind);
  });
});

describe('the parts of user data', () => {
  it('are none that can be read where it is no text: packed and damaged, other bytes, NUL, too long', () => {
    const unread = { parts: [{ kind: 'unknown', text: '', isTemplate: false, hasMergeType: false }], text: null };
    for (const bytes of [Buffer.from([0xff, 0xfe, 0x41]), Buffer.from('a\0b'), Buffer.alloc(TEXT_MAX + 1, 97)])
      expect(read(bytes)).toEqual(unread);
    expect(partsOf(encoded(gzipSync('#!/bin/sh')), () => null)).toEqual(unread);
    expect(read(Buffer.alloc(TEXT_MAX, 97)).text).toHaveLength(TEXT_MAX);
  });

  it('are unpacked where they are packed, and only there', () => {
    expect(kinds(gzipSync('#!/bin/sh\n'))).toEqual(['script']);
    expect(read(Buffer.from([0x1f, 0x41])).text).toBe('\u001fA');
    const part = (type: string, body: string | Buffer) =>
      `Content-Type: ${type}\nMIME-Version: 1.0\nContent-Transfer-Encoding: base64\n\n${encoded(body)}`;
    expect(kinds(part('application/gzip', gzipSync('#!/bin/sh\n')))).toEqual(['script']);
    expect(kinds(part('text/x-shellscript', gzipSync('#!/bin/sh\n')))).toEqual(['script']);
    expect(kinds(part('application/x-gzip', gzipSync('hello')))).toEqual(['inert']);
    expect(kinds(part('text/x-shellscript', Buffer.from([0xff])))).toEqual(['unknown']);
    const damaged = partsOf(encoded(part('application/gzip', 'x')), () => null);
    expect(damaged.parts.map(({ kind }) => kind)).toEqual(['unknown']);
  });

  it('of a message that is not understood are one, which keeps its words', () => {
    const text = 'MIME-Version: 1.0\nContent-Type: multipart/mixed\n\nx';
    expect(read(text)).toEqual({ parts: [{ kind: 'unknown', text, isTemplate: false, hasMergeType: false }], text });
  });

  it('say how they are merged, also within a message', () => {
    const text = 'MIME-Version: 1.0\nContent-Type: text/cloud-config\nMerge-Type: list(append)\n\n#cloud-config\n';
    expect(read(text).parts).toEqual([
      { kind: 'cloud-config', text: '#cloud-config\n', isTemplate: false, hasMergeType: true },
    ]);
  });
});

describe('a template', () => {
  it('is what it begins with after its first line', () => {
    const text = '\n## template: jinja\r\n#!/bin/sh\necho {{ v1.region }}\n';
    const rest = '#!/bin/sh\necho {{ v1.region }}\n';
    expect(read(text).parts).toEqual([{ kind: 'script', text: rest, isTemplate: true, hasMergeType: false }]);
  });

  it.each([
    ['of a template', '## template: jinja\n## template: jinja\n#!/bin/sh\n'],
    ['of an archive', '## template: jinja\n#cloud-config-archive\n- x\n'],
    ['of nothing known', '## template: jinja\nmember: x\n'],
    ['of nothing', '## template: jinja'],
  ])('%s is not looked into, and its words are kept', (_what, text) => {
    const { parts } = read(text);
    const rest = text.slice(text.indexOf('\n') + 1);
    expect(parts).toEqual([
      { kind: 'unknown', text: text.includes('\n') ? rest : '', isTemplate: false, hasMergeType: false },
    ]);
  });
});

describe('an archive', () => {
  const archived = (entries: string) => read(`#cloud-config-archive\n${entries}`).parts;

  it('is a list of texts, which say what they are, and of texts with a type', () => {
    const entries =
      '- "#!/bin/sh"\n- { content: "a: 1" }\n- { type: text/cloud-boothook, content: x }\n- { type: "", content: "b: 1" }\n';
    expect(archived(entries).map(({ kind, text }) => [kind, text])).toEqual([
      ['script', '#!/bin/sh'],
      ['cloud-config', 'a: 1'],
      ['boothook', 'x'],
      ['cloud-config', 'b: 1'],
    ]);
  });

  it('says of each how it is merged', () => {
    const entries =
      '- { content: a, Merge-Type: x, filename: x }\n- { content: a, x-merge-type: x }\n- { content: a, filename: x }\n';
    expect(archived(entries).map(({ hasMergeType }) => hasMergeType)).toEqual([true, true, false]);
  });

  it('is not looked into where it is no list, nor where an entry is no text', () => {
    expect(archived('a: 1').map(({ kind, text }) => [kind, text.includes('a: 1')])).toEqual([['unknown', true]]);
    for (const entry of ['{ type: text/plain }', '7', 'null', '[x]'])
      expect(archived(`- ${entry}\n- "#!"\n`).map(({ kind }) => kind)).toEqual(['unknown', 'script']);
  });

  it('may hold archives', () => {
    expect(archived('- |\n  #cloud-config-archive\n  - "#!/bin/sh"\n').map(({ kind }) => kind)).toEqual(['script']);
  });
});

describe('YAML is read as PyYAML reads it', () => {
  it.each([
    ['of a key that stands twice the last one counts', 'a: 1\na: 2', { a: 2 }],
    ['yes is true (YAML 1.1)', 'a: yes', { a: true }],
    ['what is no YAML is undefined', 'a: [', undefined],
    ['an alias nobody has defined is undefined', 'a: *x', undefined],
    ['nothing is null', '', null],
  ])('%s', (_what, text, expected) => {
    expect(parseYaml(text)).toEqual(expected);
  });

  it('and one that grows without end is not read at all', () => {
    const rows = Array.from({ length: 12 }, (_, n) => `a${n + 1}: &a${n + 1} [${`*a${n},`.repeat(10)}]`);
    expect(parseYaml(['a0: &a0 x', ...rows].join('\n'))).toBeUndefined();
  });
});
