import { expect, test } from 'vitest';
import { colourOf } from './colour-choice.ts';

test.each<[string, readonly string[], NodeJS.ProcessEnv, boolean, boolean | null]>([
  ['a terminal', [], { TERM: 'xterm' }, true, true],
  ['a pipe', [], { TERM: 'xterm' }, false, false],
  ['a dumb terminal', [], { TERM: 'dumb' }, true, false],
  ['NO_COLOR', [], { NO_COLOR: '1' }, true, false],
  ['an empty NO_COLOR, which says nothing', [], { NO_COLOR: '' }, true, true],
  ['FORCE_COLOR, which the library reads', [], { FORCE_COLOR: '1' }, false, null],
  ['--color always on a pipe', ['--color', 'always'], { NO_COLOR: '1' }, false, true],
  ['--color=never on a terminal', ['--color=never'], { FORCE_COLOR: '1' }, true, false],
  ['--color auto on a pipe', ['--color', 'auto'], {}, false, false],
  ['CI on a pipe, which the library would colour', [], { CI: 'true' }, false, false],
])('%s', (_, words, environment, isTerminal, wanted) => {
  expect(colourOf(words, environment, isTerminal)).toBe(wanted);
});
