import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { harmless, harmlessJson, harmlessLines, harmlessText, shownLines } from './harmless-text.ts';

const OBEYED = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;

describe('text of other people on a terminal', () => {
  it.each([
    ['the screen is not cleared', 'a\u001b[2Jb', 'a␛[2Jb'],
    ['the title is not set', '\u001b]0;mine\u0007', '␛]0;mine␇'],
    ['nothing goes to the clipboard', '\u001b]52;c;aGk=\u001b\\', '␛]52;c;aGk=␛\\'],
    ['an eight-bit control sequence is none', 'a\u009b2J', 'a\\u009b2J'],
    ['no line is begun', 'gone\r\nheld  all is well', 'gone␍␊held  all is well'],
    ['nothing is taken back', 'bad\b\b\bgood\u007f', 'bad␈␈␈good␡'],
    ['nothing is turned round', 'a\u202egnp.exe', 'a\\u202egnp.exe'],
    ['nothing is invisible', 'pro\u200bd', 'pro\\u200bd'],
    ['half a pair is shown as that', 'a\ud83d', 'a\\ud83d'],
    ['words, tables and signs stay', 'Müller → ✓ 日本 🙂', 'Müller → ✓ 日本 🙂'],
  ])('%s', (_, text, shown) => {
    expect(harmlessText(text)).toBe(shown);
  });

  it('whatever it is, nothing is left that would be obeyed, and twice is as good as once', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const once = harmlessText(text);
        expect(once).not.toMatch(OBEYED);
        expect(harmlessText(once)).toBe(once);
      }),
    );
  });

  it('keeps the lines of a text of lines', () => {
    expect(harmlessLines('a␊\n\u001bb\nc')).toBe('a␊\n␛b\nc');
    for (const text of ['boot\r\npanic\n', harmlessText('boot\r\npanic\n')])
      expect(shownLines(text)).toEqual(['boot', 'panic', '']);
  });

  it('reaches every text of a value, the keys too, and leaves the rest', () => {
    const value = { why: '\u001b', list: ['\u009b', 1, null, true], 'k\u0007': { deep: '\n' } };
    expect(harmless(value)).toEqual({ why: '␛', list: ['\\u009b', 1, null, true], 'k␇': { deep: '␊' } });
  });

  it('as JSON it means the same, and holds none of them', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.string({ unit: 'binary' }), (value, text) => {
        const json = JSON.stringify({ value, text: text.toWellFormed() });
        const made = harmlessJson(json);
        expect(made).not.toMatch(OBEYED);
        expect(JSON.parse(made)).toEqual(JSON.parse(json));
      }),
    );
  });
});
