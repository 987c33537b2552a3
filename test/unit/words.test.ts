import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { buildProgram, EXIT } from '@understudy/cli';
import { HoldReasonSchema, PROBLEM_REMEDIES, retryAdvice, WAYS_OUT } from '@understudy/shared';
import { SeededRandom, SimClock } from '@understudy/shared/testing';
import type { Command } from 'commander';
import { expect, it } from 'vitest';

/**
 * What the documentation says and what the program says are compared, so that neither can be
 * changed alone.
 */

const root = new URL('../../', import.meta.url);
const page = (path: string): string => readFileSync(new URL(path, root), 'utf8');

/** The text below a heading, up to the next one of the same rank. */
function sectionOf(markdown: string, heading: string): string {
  const [, after = ''] = markdown.split(`\n## ${heading}\n`);
  return after.split('\n## ')[0] ?? '';
}

/** Every `code` in the first column of the tables of a section, in order. */
const firstColumn = (section: string): readonly string[] =>
  section
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .flatMap((line) => [...(line.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map(([, code = '']) => code));

/** Files from git's list, so that the results of a build are not read. */
const textFiles = execFileSync('git', ['ls-files'], { cwd: root, encoding: 'utf8' })
  .split('\n')
  .filter((path) => /^(?:docs|packages|scripts|README)/.test(path) && /\.(?:md|ts|mjs)$/.test(path))
  .filter((path) => !path.endsWith('.test.ts'))
  .filter((path) => existsSync(new URL(path, root)));

/**
 * `understudy keys status` in code marks, in a string or in a block of commands: the words that may
 * name a command.
 */
const COMMAND_LINE =
  /(?:`|^|\$ |')(?:npx )?(?:npm run (?:-s )?)?understudy(?: --)? ([a-z][a-z-]+)(?: ([a-z][a-z-]+))?/gm;

function commandsOf(program: Command): ReadonlySet<string> {
  const below = program.commands.flatMap((one) => [
    one.name(),
    ...one.commands.map((sub) => `${one.name()} ${sub.name()}`),
  ]);
  return new Set(below);
}

it('every command that any text advises exists', () => {
  const commands = commandsOf(buildProgram({ clock: new SimClock(), random: new SeededRandom(1), environment: {} }));
  const parents = new Set([...commands].filter((name) => name.includes(' ')).map((name) => name.split(' ')[0] ?? ''));
  const advised = textFiles.flatMap((path) =>
    [...page(path).matchAll(COMMAND_LINE)].map(([, name = '', sub = '']) => ({
      path,
      command: parents.has(name) && sub !== '' ? `${name} ${sub}` : name,
    })),
  );
  expect(new Set(advised.map((one) => one.command)).size).toBeGreaterThan(8);
  expect(advised.filter(({ command }) => !commands.has(command))).toEqual([]);
});

it('the advice in the text of a hold is commands that exist, and never to delete a key', () => {
  const commands = commandsOf(buildProgram({ clock: new SimClock(), random: new SeededRandom(1), environment: {} }));
  const advised = [
    ...retryAdvice('db/one', 'plan-may-be-wrong').matchAll(/understudy ([a-z-]+) db\/one --reason TEXT/g),
  ];
  expect(advised.map(([, name]) => name)).toEqual(['retry', 'replan']);
  for (const [, name = ''] of advised) expect(commands).toContain(name);
  const coordinators = textFiles.filter((path) => /^packages\/(?:coordinator|shared)\/src\//.test(path));
  expect(coordinators.length).toBeGreaterThan(100);
  expect(coordinators.filter((path) => /(?:remove|delete) (?:this|the|its) hold/i.test(page(path)))).toEqual([]);
});

it('every hold reason is documented with its meaning and its way out, and no other', () => {
  const text = page('docs/ways-out.md');
  expect(new Set(firstColumn(text))).toEqual(new Set(HoldReasonSchema.options));
  for (const [reason, { means, act, commands }] of Object.entries(WAYS_OUT)) {
    const row = text.split('\n').find((line) => line.startsWith(`| \`${reason}\` |`)) ?? '';
    for (const part of [means, act, ...commands]) expect(row).toContain(part);
  }
});

it('every command is documented, once, and no other', () => {
  const program = buildProgram({ clock: new SimClock(), random: new SeededRandom(1), environment: {} });
  const parents = new Set(program.commands.filter((one) => one.commands.length > 0).map((one) => one.name()));
  // The older name of `keys derive` is for those who know it, the other for the scripts of shells.
  const hidden = ['agent-key', 'complete'];
  const commands = [...commandsOf(program)].filter((name) => !parents.has(name) && !hidden.includes(name));
  const documented = firstColumn(sectionOf(page('docs/cli.md'), 'Commands'));
  expect(documented.toSorted()).toEqual(commands.map((name) => `understudy ${name}`).toSorted());
});

it('every exit code is documented', () => {
  const rows = [...sectionOf(page('docs/cli.md'), 'Exit codes').matchAll(/^\| (\d+) \|/gm)].map(([, code]) =>
    Number(code),
  );
  // The shell's own: 128 + SIGPIPE, when the reader went away.
  expect(rows).toEqual([...Object.values(EXIT), 141].toSorted((a, b) => a - b));
});

it('every problem code is documented, once, and no other', () => {
  const documented = firstColumn(sectionOf(page('docs/coordinator.md'), 'Problems'));
  expect(documented.toSorted()).toEqual(Object.keys(PROBLEM_REMEDIES).toSorted());
});
