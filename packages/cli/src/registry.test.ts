import { readdirSync } from 'node:fs';
import { SeededRandom, SimClock } from '@understudy/shared/testing';
import type { Command } from 'commander';
import { describe, expect, it, test } from 'vitest';
import { type CommandDefinition, exitsOf } from './command-definition.ts';
import { EXIT } from './exit-codes.ts';
import { buildProgram } from './program.ts';
import { COMMANDS, PARENTS } from './registry.ts';

/** Words of a command line; quotes hold words together. */
const wordsOf = (line: string): readonly string[] =>
  [...line.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(([, single, double, bare]) => single ?? double ?? bare ?? '');

/** The program with actions that only say that they were reached. */
function rehearsal(): { program: Command; reached: string[] } {
  const program = buildProgram({ clock: new SimClock(), random: new SeededRandom(1), environment: {} });
  const reached: string[] = [];
  const walk = (command: Command, path: readonly string[]): void => {
    command.configureOutput({ writeOut: () => undefined, writeErr: () => undefined });
    if (command.commands.length === 0) command.action(() => void reached.push(path.join(' ')));
    for (const below of command.commands) walk(below, [...path, below.name()]);
  };
  walk(program, []);
  return { program, reached };
}

function commandOf(name: string): Command {
  const { program } = rehearsal();
  return name
    .split(' ')
    .reduce((above, word) => above.commands.find((one) => one.name() === word) ?? expect.fail(`no ${name}`), program);
}

const longNames = (command: Command): readonly string[] => command.options.map((option) => option.long ?? '');
const NAMED = COMMANDS.map((one): readonly [string, CommandDefinition] => [one.name, one]);

describe('every command', () => {
  it('is one of its own name', () => {
    expect(new Set(COMMANDS.map(({ name }) => name)).size).toBe(COMMANDS.length);
    for (const parent of new Set(
      COMMANDS.flatMap(({ name }) => (name.includes(' ') ? [name.split(' ')[0] ?? ''] : [])),
    ))
      expect(PARENTS[parent]?.summary).toBeTruthy();
  });

  it('stands in a file of its name, and every file holds one', () => {
    const files = readdirSync(new URL('commands/', import.meta.url)).map((file) =>
      file.replace(/(?:\.test)?\.ts$/, ''),
    );
    const shown = COMMANDS.filter(({ hidden }) => hidden !== true).map(({ name }) => name.replaceAll(' ', '-'));
    expect([...new Set(files)].toSorted()).toEqual(shown.toSorted());
  });

  test.each(NAMED)('%s says what it is, with examples that parse and reach it', async (name, { summary, examples }) => {
    expect(summary).toMatch(/^\S.*[^.]$/);
    expect(examples.length).toBeGreaterThan(0);
    for (const { line, what } of examples) {
      expect(what).not.toBe('');
      const { program, reached } = rehearsal();
      const [first, ...words] = wordsOf(line);
      expect(first).toBe('understudy');
      await program.parseAsync(words, { from: 'user' });
      expect(reached).toEqual([name]);
    }
  });

  test.each(NAMED)('%s shows its examples and exit codes in --help', async (name, definition) => {
    let help = '';
    const command = commandOf(name).configureOutput({ writeOut: (text) => (help += text) });
    command.outputHelp();
    for (const { line } of definition.examples) expect(help).toContain(`$ ${line}`);
    for (const exit of exitsOf(definition)) expect(help).toMatch(new RegExp(`^ +${EXIT[exit]}  \\S`, 'm'));
  });

  test.each(NAMED)('%s takes the options of its kind, and says what each is for', (name, { kind, watch }) => {
    const command = commandOf(name);
    const has = longNames(command);
    const asks = kind === 'read' || kind === 'mutation';
    if (asks || kind === 'local-read') expect(has).toContain('--json');
    // It writes down what the others take.
    if (name !== 'context add') expect([has.includes('--url'), has.includes('--token-file')]).toEqual([asks, asks]);
    if (kind === 'mutation') expect(has).toEqual(expect.arrayContaining(['--yes', '--reason']));
    expect(has.includes('--watch')).toBe((kind === 'read' || kind === 'local-read') && watch !== false);
    for (const option of command.options) expect(option.description).not.toBe('');
    for (const argument of command.registeredArguments) expect(argument.description).not.toBe('');
  });

  it('uses an option of one name for one thing', () => {
    const told = new Map<string, Set<string>>();
    for (const { name, kind } of COMMANDS) {
      if (kind === 'process' || name === 'context add') continue;
      for (const { long, description } of commandOf(name).options) {
        if (!['--config', '--key-id'].includes(long ?? ''))
          told.set(long ?? '', (told.get(long ?? '') ?? new Set()).add(description));
      }
    }
    expect(
      [...told].filter(([, meanings]) => meanings.size > 1).map(([option, meanings]) => [option, ...meanings]),
    ).toEqual([]);
  });

  it('no command takes a secret on the command line, where every process list shows it', () => {
    const secret = /^--(?:token|password|secret|key)$/;
    for (const { name } of COMMANDS) expect(longNames(commandOf(name)).filter((one) => secret.test(one))).toEqual([]);
  });
});
