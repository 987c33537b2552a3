import { COMPOSITION_ROOTS, REAL_TIME_PLACES, STORE_WRITE_PLACES } from './exceptions.ts';
import { lineAt, type SourceFile, type Violation } from './source.ts';

export type Rule = (file: SourceFile) => Violation[];

const isTest = (path: string): boolean => /\.(?:test|fixtures)\.ts$|^test\//.test(path);
const isCode = (path: string): boolean => /\.(ts|tsx|mts|mjs)$/.test(path);

interface Ban {
  readonly pattern: RegExp;
  readonly instead: string;
}

const findBans = (path: string, code: string, bans: readonly Ban[]): Violation[] =>
  bans.flatMap(({ pattern, instead }) =>
    Array.from(code.matchAll(pattern), (match) => ({
      path,
      line: lineAt(code, match.index),
      text: `\`${match[0].trim()}\`: ${instead}`,
    })),
  );

const CORE_BANS: readonly Ban[] = [
  {
    pattern: /\b(?:async|await)\b/g,
    instead: 'core/ is synchronous: return a value that says what to do, and let the caller do it',
  },
  { pattern: /\bPromise\b/g, instead: 'core/ is synchronous: return a plain value' },
  { pattern: /\bDate\.now\b|\bnew Date\(\s*\)|\bDate\(\s*\)|\bperformance\b/g, instead: 'take `now` as a parameter' },
  {
    pattern: /\b(?:setTimeout|setInterval|setImmediate|queueMicrotask)\b/g,
    instead: 'return when to look again; the loop has the timer',
  },
  { pattern: /\bMath\.random\b|\bcrypto\b/g, instead: 'take a Random, or the number, as a parameter' },
  {
    pattern: /\b(?:console|process|fetch)\b(?=[.(])/g,
    instead: 'core/ has no I/O: return a value, the adapter does the rest',
  },
];
const CORE_IMPORT =
  /^(?:node:|pino\b|@aws-sdk\/|@smithy\/|etcd3\b|fastify\b|dgram-as-promised\b|prom-client\b|cockatiel\b|p-limit\b|@understudy\/shared\/node$)/;

/** Where decisions are made. */
const PURE = /^packages\/(?:[^/]+\/src\/(?:[^/]+\/)*core|coordinator\/src\/(?:judge|enrol|policy))\//;

/** Decisions are pure: a snapshot and `now` go in, a value comes out. */
export const corePurity: Rule = ({ path, code, imports }) => {
  if (!PURE.test(path) || isTest(path)) return [];
  const impure = imports
    .filter(({ specifier, typeOnly }) => CORE_IMPORT.test(specifier) && !typeOnly)
    .map(({ specifier, line }) => ({
      path,
      line,
      text: `core/ must not import "${specifier}": take its result as a parameter, or move this file to adapters/`,
    }));
  return [...impure, ...findBans(path, code, CORE_BANS)];
};

/** `node:crypto`'s hashes are functions; everything else of Node belongs into shared/src/node. */
export const sharedHasNoIo: Rule = ({ path, imports }) => {
  if (!path.startsWith('packages/shared/src/') || isTest(path) || /\/src\/(?:node|testing)\//.test(path)) return [];
  return imports
    .filter(({ specifier }) => (specifier.startsWith('node:') && specifier !== 'node:crypto') || specifier === 'pino')
    .map(({ specifier, line }) => ({
      path,
      line,
      text: `"${specifier}" is I/O: put this into packages/shared/src/node`,
    }));
};

const CLOCK = 'use the Clock port (monotonicMs, wallMs, setTimer, sleep)';
const RANDOM = 'use the Random port (next, hex)';
const TIME_BANS: readonly Ban[] = [
  { pattern: /\bDate\.now\b|\bnew Date\(\s*\)|\bperformance\.now\b|\bprocess\.(?:hrtime|uptime)\b/g, instead: CLOCK },
  { pattern: /\b(?:setTimeout|setInterval|setImmediate)\b/g, instead: CLOCK },
  { pattern: /\bAbortSignal\.timeout\b/g, instead: 'use an AbortController and Clock.setTimer' },
  {
    pattern: /\bMath\.random\b|\b(?:randomBytes|randomUUID|randomInt|randomFill(?:Sync)?|getRandomValues)\b/g,
    instead: RANDOM,
  },
];

/** One source of time, one of randomness. */
export const portsForTime: Rule = ({ path, code, imports }) => {
  if (!isCode(path) || REAL_TIME_PLACES.some((place) => place.path.test(path))) return [];
  const timers = imports
    .filter(({ specifier }) => /^(?:node:)?timers(?:\/promises)?$/.test(specifier))
    .map(({ specifier, line }) => ({ path, line, text: `"${specifier}": ${CLOCK}` }));
  return [...timers, ...findBans(path, code, TIME_BANS)];
};

export const adaptersAreBuiltInMain: Rule = ({ path, code }) => {
  if (!isCode(path) || COMPOSITION_ROOTS.test(path)) return [];
  const instead = 'only main.ts builds adapters: take a Clock, Random or Log as a parameter';
  return findBans(path, code, [{ pattern: /\bnew System(?:Clock|Random)\b|\bPinoLog\.create\b/g, instead }]);
};

const ETCD_ADAPTER = /^packages\/[^/]+\/src\/adapters\/etcd\//;
const TERM = 'a leader writes through its Term only (commit, remove); ask for KvReads if you read';
/**
 * S2: no write of a leader goes past the guard of its term. `KvStore` has no other verb that
 * writes, and only its adapter knows the client of etcd.
 */
export const leaderWritesThroughTerm: Rule = ({ path, code, imports }) => {
  if (!path.startsWith('packages/') || !isCode(path) || isTest(path) || path.includes('/testing/')) return [];
  const clients = imports
    .filter(({ specifier }) => specifier === 'etcd3' && !ETCD_ADAPTER.test(path))
    .map(({ line }) => ({ path, line, text: `"etcd3" is for the adapter: ${TERM}` }));
  const mayWrite = STORE_WRITE_PLACES.some((place) => place.path === path);
  return [...clients, ...(mayWrite ? [] : findBans(path, code, [{ pattern: /\.txn\(/g, instead: TERM }]))];
};

const COMMAND = /^packages\/cli\/src\/(?!terminal\.ts$).*(?<!\.test)\.ts$/;
/**
 * Printed text comes from records, tags and other people, so one file makes it harmless for a
 * terminal.
 */
export const oneWayToTheTerminal: Rule = ({ path, code }) =>
  COMMAND.test(path)
    ? findBans(path, code, [
        {
          pattern: /\bprocess\.std(?:out|err)\.write\b|\bconsole\.(?:log|error|warn|info)\b/g,
          instead: 'print what terminal.ts made harmless: print(shownOf(value, view)), shownText, shownJson, complain',
        },
      ])
    : [];

/** The name of a step and a dash, where a string, a pattern or a key of the journal begins. */
const STEP_ID = new RegExp(
  String.raw`(?:['"\`/]\^?|journalStep\([^)]*['"\`])(?:permit|launch|verify|revoke|address)-(?:['"\`(\\]|\$\{)`,
  'g',
);
const RECOVERY = /^packages\/(?:recovery\/|coordinator\/src\/(?:core\/)?recovery\/)/;
/** Elsewhere such a string is a name of a call, or the text of a planted bug. */
const NO_STEP_ID = /^(?:packages\/shared\/src\/testing\/cloud-contract|test\/sim\/planted\/)/;
/** Only the room that writes a journal says what it means. */
export const stepIdsAreRecoverys: Rule = ({ path, text }) =>
  RECOVERY.test(path) || NO_STEP_ID.test(path) || !isCode(path)
    ? []
    : findBans(path, text, [
        { pattern: STEP_ID, instead: 'ask recovery: journalFacts(entries), readStepId(id), stepId(name, at)' },
      ]);

export const FILE_LINES_MAX = 500;
export const fileLength: Rule = ({ path, text }) => {
  const count = text.trimEnd().split('\n').length;
  if (!isCode(path) || count <= FILE_LINES_MAX) return [];
  return [
    {
      path,
      line: FILE_LINES_MAX + 1,
      text: `${count} lines, ${FILE_LINES_MAX} at most: move one idea into a file of its own`,
    },
  ];
};

const VAGUE = /^(?:utils?|managers?|helpers?|data)$/;
/** EC2's own words. */
const OWN_WORDS = /user-data/g;

export const fileNames: Rule = ({ path }) => {
  const word = path
    .replaceAll(OWN_WORDS, '')
    .split(/[-._/]/)
    .find((part) => VAGUE.test(part.toLowerCase()));
  if (word === undefined) return [];
  return [
    {
      path,
      line: 1,
      text: `"${word}" says nothing: name the file after the one thing it holds (a noun of docs/GLOSSARY.md)`,
    },
  ];
};

/** Written in pieces, so that this file does not contain what it looks for. */
const HOSTS = [
  'registry.npm' + 'js.',
  'registry.yarn' + 'pkg.',
  'npm.pkg.git' + 'hub.',
  'deb.deb' + 'ian.org',
  'archive.ubu' + 'ntu.com',
  '_auth' + 'Token',
];
const HOST = new RegExp(HOSTS.map((host) => host.replaceAll('.', '\\.')).join('|'), 'g');
const MACHINE_PATH = /(?<=^|[\s"'`(=:])\/(?:work|root|home|Users)\/[A-Za-z0-9_.-]+/gm;

/** Any text file: what is true on one machine only does not get committed. */
export const noMachineNames: Rule = ({ path, text }) => [
  ...findBans(path, text, [
    { pattern: HOST, instead: "leave the host out: npm's and apt's own configuration name it" },
  ]),
  ...findBans(path, text, [{ pattern: MACHINE_PATH, instead: 'use a path relative to the project, or os.tmpdir()' }]),
];

export const FILE_RULES: readonly Rule[] = [
  corePurity,
  sharedHasNoIo,
  portsForTime,
  adaptersAreBuiltInMain,
  leaderWritesThroughTerm,
  oneWayToTheTerminal,
  fileLength,
  fileNames,
  noMachineNames,
  stepIdsAreRecoverys,
];
