import { describe, expect, it, test } from 'vitest';
import { danglingPages } from './tidy/documents.ts';
import { REAL_TIME_PLACES, STORE_WRITE_PLACES } from './tidy/exceptions.ts';
import { LOG_EVENTS_PAGE, logEventFaults, logEventsOf } from './tidy/log-events.ts';
import {
  adaptersAreBuiltInMain,
  corePurity,
  FILE_LINES_MAX,
  FILE_RULES,
  fileLength,
  fileNames,
  leaderWritesThroughTerm,
  noMachineNames,
  oneWayToTheTerminal,
  portsForTime,
  type Rule,
  sharedHasNoIo,
  stepIdsAreRecoverys,
} from './tidy/rules.ts';
import { subjectFirst } from './tidy/openings.ts';
import { narrowProse, PROSE_COLUMNS } from './tidy/width.ts';
import { projectFiles, type SourceFile, sourceFile, type Violation } from './tidy/source.ts';

/**
 * The rules of docs/ARCHITECTURE.md that types cannot express. A message says what to write
 * instead.
 */

const TEXT_FILE = /\.(?:[mc]?[jt]sx?|json|ya?ml|md|sh|service|conf|html|css|pml)$|^\.ci\/|(?:^|\/)\.[a-z]+rc$/;
const paths = projectFiles();
const files: readonly SourceFile[] = paths.filter((path) => TEXT_FILE.test(path)).map((path) => sourceFile(path));
const code = files.filter(({ path }) => /\.(?:ts|tsx|mjs)$/.test(path));
const shown = (violations: readonly Violation[]): string[] =>
  violations.map(({ path, line, text }) => `${path}:${line}: ${text}`);

/** What the rule says about a file that does not exist. */
const told = (rule: Rule, path: string, text: string): string => shown(rule(sourceFile(path, text))).join('\n');

describe('the project keeps its rules', () => {
  it('is looking at the real files', () => {
    expect(code.length).toBeGreaterThan(40);
  });

  test.each(FILE_RULES.map((rule) => [rule.name, rule] as const))('%s', (_, rule) => {
    expect(shown(files.flatMap(rule))).toEqual([]);
  });

  it('logs nothing that docs/log-events.md does not have, at the level it has there', () => {
    expect(shown(logEventFaults(code, sourceFile(LOG_EVENTS_PAGE)))).toEqual([]);
  });

  it('wraps comments and prose at 100 columns', () => {
    expect(shown(narrowProse(files))).toEqual([]);
  });

  it('begins comments with a subject', () => {
    expect(shown(subjectFirst(files))).toEqual([]);
  });

  it('names no page that is not in the repository', () => {
    expect(shown(danglingPages(files, paths))).toEqual([]);
  });

  it('has no exception that is not needed any more', () => {
    const unneeded = REAL_TIME_PLACES.filter(({ path }) => !paths.some((each) => path.test(each)));
    expect(unneeded.map(({ path, reason }) => `${path}: ${reason}`)).toEqual([]);
    const quiet = STORE_WRITE_PLACES.filter(
      ({ path }) => !code.some((file) => file.path === path && file.code.includes('.txn(')),
    );
    expect(quiet.map(({ path, reason }) => `${path}: ${reason}`)).toEqual([]);
  });
});

describe('one way to the terminal', () => {
  test.each(['process.stdout.write(text);', 'process.stderr.write(text);', 'console.log(text);'])('%s', (text) => {
    expect(told(oneWayToTheTerminal, 'packages/cli/src/a.ts', text)).toContain('terminal.ts');
    expect(told(oneWayToTheTerminal, 'packages/cli/src/terminal.ts', text)).toBe('');
    expect(told(oneWayToTheTerminal, 'packages/agent/src/main.ts', text)).toBe('');
  });
});

describe('writes of a leader', () => {
  test.each([
    ['packages/coordinator/src/leader/a.ts', 'await store.txn({ compare, writes });'],
    ['packages/recovery/src/a.ts', 'this.#kv.txn(txn)'],
    ['packages/coordinator/src/leader/a.ts', "import { Etcd3 } from 'etcd3';"],
  ])('%s with %s is told to change', (path, text) => {
    expect(told(leaderWritesThroughTerm, path, text)).toContain('through its Term');
  });

  test.each([
    ['packages/coordinator/src/leader/a.ts', 'await term.remove([{ key, expect }]);'],
    ['packages/coordinator/src/leader/a.test.ts', 'await store.txn({ compare, writes });'],
    ['packages/coordinator/src/adapters/etcd/a.ts', "import { Etcd3 } from 'etcd3';"],
  ])('%s with %s is fine', (path, text) => {
    expect(told(leaderWritesThroughTerm, path, text)).toBe('');
  });
});

describe('ids of steps are taken apart in recovery only', () => {
  const parsing = [
    "record.step.startsWith('laun' + 'ch-')",
    'const number = /^revo' + 'ke-(\\d+)$/.exec(step);',
    'keys.journalStep(opId, `addre' + 'ss-${id}`)',
  ].map((text) => text.replace("' + '", ''));
  test.each(parsing)('%s', (text) => {
    expect(told(stepIdsAreRecoverys, 'packages/coordinator/src/api/a.ts', text)).toContain('journalFacts');
    expect(told(stepIdsAreRecoverys, 'test/sim/a.ts', text)).toContain('journalFacts');
    expect(told(stepIdsAreRecoverys, 'packages/recovery/src/a.ts', text)).toBe('');
    expect(told(stepIdsAreRecoverys, 'packages/recovery/src/src/steps/a.ts', text)).toBe('');
  });

  test.each(["putStep('launch-1')", "step: 'permit-2'", "code: 'launch-then-terminate'", 'state === `launching`'])(
    'a whole id, or another word: %s',
    (text) => expect(told(stepIdsAreRecoverys, 'test/sim/a.ts', text)).toBe(''),
  );
});

describe('log events', () => {
  const PATH = 'packages/agent/src/a.ts';
  const read = (text: string) =>
    logEventsOf(sourceFile(PATH, text)).events.map(({ event, levels }) => `${event} ${levels.join(' ')}`);
  const told = (text: string, page: string) =>
    shown(logEventFaults([sourceFile(PATH, text)], sourceFile('docs/log-events.md', page))).join('\n');

  test.each([
    ["log.warn('a.b', { x });", ['a.b warn']],
    ["this.#log.info(\n  'a.b',\n);", ['a.b info']],
    ["log[bad ? 'error' : 'info']('a.b');", ['a.b error info']],
    ["// log.warn('a.b')", []],
    ["new RecurringFailure({ ...options, event: 'a.b' })", ['a.b warn error', 'a.b.over info']],
    ["new RecurringFailure({ event: 'a.b', level: 'error' })", ['a.b error', 'a.b.over info']],
  ])('%s is read', (text, events) => {
    expect(read(text)).toEqual(events);
  });

  test.each([
    ['log.warn(name);', '', 'cannot be looked up'],
    ["log[level]('a.b');", '', 'cannot be looked up'],
    ['log.warn(`a.${b}`);', '', 'cannot be looked up'],
    ['new RecurringFailure({ event })', '', 'name its event'],
    ["log.warn('a.b');", '', 'a.b: put it into'],
    ["log.warn('a.b');", '| `a.b` | error | it broke | mend it |', 'the page says error, the code warn'],
    ["log.error('a.b');", '| `a.b` | error | it broke |', 'what a person does about it'],
    ["log.error('a.b');", '| `a.b` | error | it broke | |', 'what a person does'],
    ['', '| `a.b` | warn | it broke |', 'nothing logs it'],
    ["log.warn('a.b');", '| `a.b` | warn | x |\n| `a.b` | warn | x |', 'twice'],
  ])('%s with the page "%s" is told to change', (text, page, advice) => {
    expect(told(text, page)).toContain(advice);
  });

  it('is fine when both say the same', () => {
    expect(told("log.error('a.b');", '| `a.b` | error | it broke | mend it |')).toBe('');
  });
});

describe('pages', () => {
  const faults = (path: string, text: string) =>
    shown(danglingPages([sourceFile(path, text)], ['docs/a.md', 'docs/b/c.md', 'README.md'])).join('\n');

  test.each([
    ['packages/agent/src/a.ts', '/** See docs/a.md and docs/gone.md. */', 'docs/gone.md is not in the repository'],
    ['docs/a.md', 'see [that](gone.md#part)', 'docs/gone.md is not'],
    ['docs/b/c.md', 'see [that](a.md)', 'docs/b/a.md is not'],
  ])('%s with %s is told to change', (path, text, advice) => {
    expect(faults(path, text)).toContain(advice);
  });

  test.each([
    ['docs/b/c.md', 'see [that](../a.md), [readme](../../README.md#x), [far](https://example.org/z.md), docs/a.md'],
    ['README.md', '[docs](docs/a.md)'],
  ])('%s with %s is fine', (path, text) => {
    expect(faults(path, text)).toBe('');
  });
});

describe('width', () => {
  const wide = `a${' sentence'.repeat(PROSE_COLUMNS / 9)} too long`;
  const faults = (path: string, text: string, allowed = {}) =>
    shown(narrowProse([sourceFile(path, text)], allowed)).join('\n');

  test.each([
    ['packages/agent/src/a.ts', `/** ${wide} */`],
    ['packages/agent/src/a.ts', `  // ${wide}`],
    ['packages/agent/src/a.ts', `/**\n * ${wide}\n */`],
    ['docs/a.md', `- ${wide}`],
    ['docs/a.md', `\`\`\`\n${wide}\n\`\`\`\n${wide}`],
  ])('in %s, %s is told to wrap', (path, text) => {
    expect(faults(path, text)).toContain('wrap the sentence');
  });

  test.each([
    ['packages/agent/src/a.ts', `const text = '${wide}';`],
    ['packages/agent/src/a.ts', `const text = \`\n// ${wide}\`;`],
    ['packages/agent/src/a.ts', `// https://example.org/${'x'.repeat(PROSE_COLUMNS)}`],
    ['docs/a.md', `| ${wide} |`],
    ['docs/a.md', `\`\`\`\n${wide}\n\`\`\``],
    ['test/a.json', `"${wide}"`],
  ])('in %s, %s is fine', (path, text) => {
    expect(faults(path, text)).toBe('');
  });

  it('lets a file have what it had, and no more, and wants the number lowered', () => {
    const two = `// ${wide}\n// ${wide}\n`;
    expect(faults('test/a.ts', two, { 'test/a.ts': 2 })).toBe('');
    expect(faults('test/a.ts', two, { 'test/a.ts': 1 })).toContain('test/a.ts:2');
    expect(faults('test/a.ts', two, { 'test/a.ts': 3 })).toContain('lower that');
  });
});

describe('openings', () => {
  const PATH = 'packages/agent/src/a.ts';
  const faults = (text: string, allowed = {}, path = PATH) =>
    shown(subjectFirst([sourceFile(path, text)], allowed)).join('\n');

  test.each([
    '/** Of the last call. */',
    '/**\n * Whose key it is.\n */',
    'const a = 1;\n  // So long nobody is told.',
    '/* Nor this. */',
    '// By whom it was asked.',
    '/** Whom it concerns. */',
    '/** In what order. */',
  ])('%s is told to begin with its subject', (text) => {
    expect(faults(text)).toContain('begin the comment with its subject');
    expect(faults(text, {}, 'test/sim/a.ts')).toContain('begin the comment with its subject');
    expect(faults(text, {}, 'scripts/a.mjs')).toBe('');
  });

  test.each([
    '/** Offers of the last call. */',
    '/**\n * The calls.\n * Of these the last one counts.\n */',
    '// The calls\n// Of the last minute.',
    "const text = '// Of the last call.';",
    'const text = `\n// Of the last call.`;',
  ])('%s is fine', (text) => {
    expect(faults(text)).toBe('');
  });

  it('lets a file have what it had, and no more, and wants the number lowered', () => {
    const two = '/** Of a. */\nconst a = 1;\n/** Of b. */\nconst b = 2;\n';
    expect(faults(two, { [PATH]: 2 })).toBe('');
    expect(faults(two, { [PATH]: 1 })).toContain(`${PATH}:3`);
    expect(faults(two, { [PATH]: 3 })).toContain('lower that');
  });
});

describe('core purity', () => {
  test.each([
    ['export async function f() {}', 'core/ is synchronous'],
    ['type A = Promise<void>;', 'return a plain value'],
    ['const now = Date.now();', 'take `now` as a parameter'],
    ['const now = new Date();', 'take `now` as a parameter'],
    ['const now = performance.now();', 'take `now` as a parameter'],
    ['setInterval(f, 1);', 'the loop has the timer'],
    ['const x = Math.random();', 'take a Random'],
    ['console.log(1);', 'no I/O'],
    ["import { readFileSync } from 'node:fs';", 'move this file to adapters/'],
    ["import pino from 'pino';", 'move this file to adapters/'],
    ["import { EC2Client } from '@aws-sdk/client-ec2';", 'move this file to adapters/'],
    ['const text = `${await read()}`;', 'core/ is synchronous'],
  ])('%s is told to change', (text, advice) => {
    expect(told(corePurity, 'packages/coordinator/src/judge/a.ts', text)).toContain(advice);
  });

  test.each([
    'const text = new Date(wallMs).toISOString();',
    "import type { Instance } from '@aws-sdk/client-ec2';",
    '/** Nothing here is async; no Promise, no Date.now(). */',
    "const text = 'await Promise';",
    'const pattern = /await\\/"/; const after = "Promise";',
  ])('%s is fine', (text) => {
    expect(told(corePurity, 'packages/coordinator/src/judge/a.ts', text)).toBe('');
  });

  it('asks nothing of files outside core/', () => {
    expect(told(corePurity, 'packages/coordinator/src/adapters/a.ts', 'await 1; Promise')).toBe('');
  });
});

describe('shared has no I/O', () => {
  it('sends files, sockets and loggers to shared/src/node', () => {
    const text = "import { readFileSync } from 'node:fs';\nimport pino from 'pino';";
    expect(told(sharedHasNoIo, 'packages/shared/src/a.ts', text).split('\n')).toHaveLength(2);
    expect(told(sharedHasNoIo, 'packages/shared/src/a.ts', text)).toContain('packages/shared/src/node');
  });

  it('lets hashes and shared/src/node alone', () => {
    expect(told(sharedHasNoIo, 'packages/shared/src/a.ts', "import { createHash } from 'node:crypto';")).toBe('');
    expect(told(sharedHasNoIo, 'packages/shared/src/node/a.ts', "import pino from 'pino';")).toBe('');
  });
});

describe('time and randomness come through ports', () => {
  test.each([
    ['Date.now()', 'Clock port'],
    ['new Date( )', 'Clock port'],
    ['performance.now()', 'Clock port'],
    ['process.hrtime.bigint()', 'Clock port'],
    ['setTimeout(f, 5)', 'Clock port'],
    ['setImmediate(f)', 'Clock port'],
    ["import { setTimeout as sleep } from 'node:timers/promises';", 'Clock port'],
    ['AbortSignal.timeout(5)', 'Clock.setTimer'],
    ['Math.random()', 'Random port'],
    ["import { randomBytes } from 'node:crypto';", 'Random port'],
    ['crypto.randomUUID()', 'Random port'],
  ])('%s is told to change', (text, advice) => {
    expect(told(portsForTime, 'packages/agent/src/adapters/a.ts', text)).toContain(advice);
    expect(told(portsForTime, 'packages/agent/src/main.ts', text)).toBe('');
  });

  it('lets nobody but main.ts build the system adapters', () => {
    const text = 'const clock = new SystemClock();\nconst log = PinoLog.create({});';
    expect(told(adaptersAreBuiltInMain, 'packages/agent/src/agent.ts', text).split('\n')).toHaveLength(2);
    expect(told(adaptersAreBuiltInMain, 'packages/agent/src/agent.ts', text)).toContain('take a Clock, Random or Log');
    expect(told(adaptersAreBuiltInMain, 'packages/agent/src/main.ts', text)).toBe('');
  });
});

describe('files', () => {
  it(`have at most ${FILE_LINES_MAX} lines`, () => {
    const text = 'x\n'.repeat(FILE_LINES_MAX);
    expect(told(fileLength, 'packages/agent/src/a.ts', text)).toBe('');
    expect(told(fileLength, 'packages/agent/src/a.ts', `${text}x\n`)).toContain(`${FILE_LINES_MAX} at most`);
  });

  test.each([
    'packages/agent/src/utils.ts',
    'packages/agent/src/lease-manager.ts',
    'test/helpers/a.ts',
    'packages/cli/src/data.ts',
  ])('%s is told to find a name', (path) => {
    expect(told(fileNames, path, '')).toContain('name the file after the one thing it holds');
  });

  test.each(['packages/cli/src/commands/user-data.ts', 'packages/agent/src/checks/metadata.ts'])(
    '%s is well named',
    (path) => {
      expect(told(fileNames, path, '')).toBe('');
    },
  );

  it('name no host of a registry or mirror and no path of one machine', () => {
    const host = ['registry', 'npmjs', 'org'].join('.');
    const folder = ['', 'home', 'someone', 'src'].join('/');
    expect(told(noMachineNames, 'pnpm-lock.yaml', `tarball: https://${host}/x.tgz`)).toContain('leave the host out');
    expect(told(noMachineNames, 'docs/a.md', `cd ${folder}`)).toContain('relative to the project');
    expect(told(noMachineNames, 'docs/a.md', 'see packages/agent/home/x and /var/lib/understudy')).toBe('');
  });
});
