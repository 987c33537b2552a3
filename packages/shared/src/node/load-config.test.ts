import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { isOperationError } from '../errors.ts';
import { loadConfig, parseConfig } from './load-config.ts';

const Schema = z.strictObject({
  id: z.string(),
  udp: z.strictObject({ host: z.string(), port: z.number().int().max(65_535).default(7946) }),
  keys: z.array(z.strictObject({ id: z.number() })).default([]),
});

function refusal(text: string): string {
  try {
    parseConfig(Schema, text, 'c.yaml');
  } catch (error) {
    if (isOperationError(error) && error.code === 'CONFIG_INVALID') return error.message;
    throw error;
  }
  throw new Error('accepted');
}

describe('a configuration', () => {
  it('is read with its defaults', () => {
    expect(parseConfig(Schema, 'id: c1\nudp: { host: localhost }\n', 'c.yaml')).toEqual({
      id: 'c1',
      udp: { host: 'localhost', port: 7946 },
      keys: [],
    });
  });

  it('is refused with file, line and field', () => {
    expect(refusal('id: c1\nudp:\n  host: localhost\n  port: 70000\n')).toMatch(/c\.yaml:4: udp\.port: .*65535/);
    expect(refusal('id: c1\nudp: { host: a }\nkeys:\n  - id: 1\n  - id: two\n')).toMatch(/c\.yaml:5: keys\.1\.id: /);
  });

  it('is refused with every fault, not only the first', () => {
    const text = refusal('id: 7\nudp:\n  host: 8\n');
    expect(text).toMatch(/c\.yaml:1: id: /);
    expect(text).toMatch(/c\.yaml:3: udp\.host: /);
  });

  it('with an unknown key is refused by the name of the key and the line of its block', () => {
    expect(refusal('id: c1\nudp:\n  host: a\n  prot: 1\n')).toMatch(/c\.yaml:3: udp: .*"prot"/);
    expect(refusal('id: c1\nudp: { host: a }\nobserver: {}\n')).toMatch(/c\.yaml:1: .*"observer"/);
  });

  it('with a missing field is refused by its name', () => {
    expect(refusal('udp: { host: a }\n')).toContain('id: ');
    expect(refusal('')).toContain('id: ');
  });

  it('that is no YAML is refused with line and column', () => {
    expect(refusal('id: c1\nudp: { host: a\nkeys: []\n')).toMatch(/c\.yaml: .*line \d+, column \d+/s);
  });

  it('with the same key twice is refused: one of the two would be lost', () => {
    expect(refusal('id: c1\nid: c2\nudp: { host: a }\n')).toMatch(/unique.*line 2/s);
  });

  it('that cannot be read is refused by its path', () => {
    const folder = mkdtempSync(join(tmpdir(), 'understudy-config-'));
    try {
      const path = join(folder, 'c.yaml');
      expect(() => loadConfig(Schema, path)).toThrow(`CONFIG_INVALID: cannot read ${path}`);
      writeFileSync(path, 'id: c1\nudp: { host: a }\n');
      expect(loadConfig(Schema, path).id).toBe('c1');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
