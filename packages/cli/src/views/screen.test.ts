import { expect, it, test } from 'vitest';
import { tableText } from './format.ts';
import { shortAge, shortId, shortZone, wrapText } from './screen.ts';

const NARROW = { width: 40 };
const widest = (text: string): number => Math.max(...text.split('\n').map((line) => line.length));

it('breaks a line at blanks, and goes on below where its text began', () => {
  expect(wrapText('held       db/one: too many members failed at once', NARROW)).toBe(
    'held       db/one: too many members\n           failed at once',
  );
  expect(wrapText('           → look at the network and at the last change', NARROW).split('\n')[1]).toMatch(
    /^ {13}\S/,
  );
});

it('goes on below the name of a branch', () => {
  expect(wrapText('├─ db/one  dead for 7 s  i-04e3…0015  recovering (op-1)', NARROW).split('\n')[1]).toMatch(/^ {3}\S/);
});

it('leaves a line alone where there is no terminal, and a word that is too long', () => {
  const line = `label      ${'x'.repeat(60)} y`;
  expect(wrapText(line, { width: null })).toBe(line);
  expect(wrapText(line, NARROW)).toContain('x'.repeat(60));
});

it('breaks the last column of a table, and only where it keeps its meaning', () => {
  const rows = [['db/one', 'a sentence that is much too long for so small a screen']];
  const text = tableText(['member', 'note'], rows, NARROW);
  expect(widest(text)).toBeLessThanOrEqual(40);
  expect(text.replaceAll(/\s+/g, ' ')).toContain(rows[0]?.[1]);
  expect(tableText(['member', 'note'], rows)).toContain(rows[0]?.[1]);
});

test.each([
  [900, '0 s'],
  [59_999, '59 s'],
  [240_000, '4 min'],
  [3 * 3_600_000, '3 h'],
  [50 * 3_600_000, '2 d'],
  [-5, '0 s'],
])('an age of %i ms is %s', (ms, text) => expect(shortAge(ms)).toBe(text));

it('shortens ids and zones where there is little room, and only there', () => {
  expect(shortId('i-0a1b2c3d4e5f6a7b8', { width: 80 })).toBe('i-0a1b…a7b8');
  expect(shortId('i-1', { width: 80 })).toBe('i-1');
  expect(shortId('i-0a1b2c3d4e5f6a7b8', { width: null })).toBe('i-0a1b2c3d4e5f6a7b8');
  expect(shortZone('us-east-1a', { width: 80 })).toBe('1a');
  expect(shortZone('us-east-1a', { width: 160 })).toBe('us-east-1a');
});
