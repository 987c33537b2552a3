import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { shellWord } from './shell-word.ts';
import { addressText, parseModules } from './terraform/address.ts';
import { hclText } from './terraform/hcl-text.ts';
import { parseHcl } from './terraform/parse-hcl.fixtures.ts';

/** Text with much of what means something to a shell, to HCL or to a terminal. */
const hostile = fc.string({
  unit: fc.oneof(
    fc.constantFrom('$', '{', '}', '%', '"', "'", '\\', '\n', '`', '(', ')', ';', '&', '|', '#', '!', ' ', '*', '~'),
    fc.constantFrom('\u0000', '\u001b', '\u202e', '\u2028', '\ud800', '${', '%{', '$${', '*/', '<<EOT'),
    fc.string({ minLength: 1, maxLength: 1, unit: 'grapheme' }),
  ),
  maxLength: 20,
});

/**
 * As HashiCorp's own parser reads it: a template would stand there as `${…}`, a text escaped. It
 * takes texts in Unicode's normal form C.
 */
const inTemplate = (text: string): string =>
  text
    .toWellFormed()
    .normalize('NFC')
    .replaceAll(/[$%](?=\{)/g, (sign) => `${sign}${sign}`);

describe('a name that somebody chose', () => {
  it('is itself in HCL, and never a template', async () => {
    await fc.assert(
      fc.asyncProperty(hostile, async (text) => {
        const read = await parseHcl('x.tf', `a = ${hclText(text)}\n`);
        expect(read).toEqual({ a: inTemplate(text) });
      }),
      { numRuns: 300 },
    );
  });

  it('is one word for a shell, and nothing is run', () => {
    const words = fc.sample(
      hostile.filter((text) => !text.includes('\u0000') && text.isWellFormed()),
      { numRuns: 300, seed: 1 },
    );
    const { stdout, stderr, status } = spawnSync('sh', ['-c', `printf '%s\\0' ${words.map(shellWord).join(' ')}`]);
    expect([status, stderr.toString()]).toEqual([0, '']);
    expect(stdout.toString().split('\0').slice(0, -1)).toEqual(words);
  });

  it('as a key of a module or a resource reads back', () => {
    fc.assert(
      fc.property(
        hostile.filter((text) => !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]|[$%]\{/u.test(text)),
        (key) => {
          const modules = [
            { name: 'a', key },
            { name: 'b', key: 3 },
            { name: 'c-d', key: null },
          ];
          const text = addressText({ modules, type: 'aws_instance', name: 'db', key: null });
          expect(parseModules(text.replace(/\.aws_instance\.db$/, ''))).toEqual(modules);
        },
      ),
    );
  });
});

test.each(['module.', 'module.a[', 'module.a["x]', 'data.a', 'module.a b', 'module.a["x"]y', '; rm -rf /'])(
  '%s is no path of modules',
  (text) => {
    expect(parseModules(text)).toBeNull();
  },
);
