import { SeededRandom, SimClock } from '@understudy/shared/testing';
import { expect, it, test } from 'vitest';
import { buildProgram } from '../program.ts';
import { completed } from './completions.ts';
import type { KnownNames } from './known-names.ts';

const NAMES: KnownNames = { atWallMs: 0, members: ['db/one', 'db/two', 'web/a'], recoveries: ['op-1'] };
const program = buildProgram({ clock: new SimClock(), random: new SeededRandom(1), environment: {} });

function values(...words: readonly string[]): readonly string[] | 'files' {
  const all = completed(program, words, NAMES, ['lab', 'prod']);
  return all === 'files' ? all : all.map(([value]) => value);
}

test.each<[string, readonly string[], readonly string[] | 'files']>([
  ['a command by its beginning', ['exp'], ['explain']],
  ['the second word of a command', ['keys', 'st'], ['status']],
  ['members', ['explain', 'db'], ['db/one', 'db/two']],
  ['members and groups', ['members', ''], ['db/one', 'db/two', 'web/a', 'db', 'web']],
  ['an argument after options with and without values', ['explain', '--json', '--url', 'c1:1', 'w'], ['web/a']],
  ['nothing more after the last argument', ['explain', 'db/one', ''], []],
  ['choices of an option', ['status', '--color', 'a'], ['auto', 'always']],
  ['contexts of the option', ['status', '--context', ''], ['lab', 'prod']],
  ['contexts of the command', ['context', 'use', 'p'], ['prod']],
  ['open recoveries', ['retry', 'db/one', '--op-id', ''], ['op-1']],
  ['options', ['status', '--js'], ['--json']],
  ['areas of etcd', ['inspect', 'le'], ['leader', 'level']],
  ['files for an option', ['status', '--token-file', './'], 'files'],
  ['files for an argument', ['keys', 'generate', ''], 'files'],
  ['shells', ['completion', ''], ['bash', 'zsh', 'fish']],
])('%s', (_, words, wanted) => expect(values(...words)).toEqual(wanted));

it('offers nothing for hidden commands, and knows words it cannot place', () => {
  expect(values('agent-k')).toEqual([]);
  expect(values('compl')).toEqual(['completion']);
  expect(values('nonsense', '--nonsense', '')).not.toBe('files');
});
