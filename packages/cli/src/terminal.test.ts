import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  ExplainViewSchema,
  HistoryViewSchema,
  HoldsViewSchema,
  harmlessText,
  KeysViewSchema,
  LeftoversViewSchema,
  MembersViewSchema,
  OperatorRequestRecordSchema,
  problemDetails,
  RecoveriesViewSchema,
  StatusViewSchema,
} from '@understudy/shared';
import { SeededRandom, SimClock } from '@understudy/shared/testing';
import { afterEach, beforeEach, describe, expect, it, test, vi } from 'vitest';
import * as z from 'zod';
import { inspectEntry, keysText } from './inspection/inspected-key.ts';
import { buildProgram } from './program.ts';
import { complain, shownOf } from './terminal.ts';
import { leftoversText } from './views/leftovers-view.ts';

/**
 * Clears the screen, sets the title, writes the clipboard, begins a line of its own and reverses
 * what follows, in 7 and in 8 bits.
 */
const EVIL = '\u001b[2J\u001b]0;x\u0007\u001b]52;c;eA==\u0007\u009b2Jx\r\nwell\u202e\u007f\b';
/** Characters that a terminal obeys, except our own line breaks and colours. */
const OBEYED = /[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}]/u;
const withoutColours = (text: string): string => text.replaceAll(/\p{Cc}\[\d+(?:;\d+)*m/gu, '');

const fitting = (pattern: string): string =>
  ['db/primary', 'volume:vol-1'].find((text) => new RegExp(pattern, 'u').test(text)) ?? '';

/** A value of this JSON schema with every part of it, in which every free text holds the worst. */
function worst(schema: Readonly<Record<string, unknown>>): unknown {
  const { properties, items, pattern, maxLength, minimum, additionalProperties } = schema;
  const type: unknown = [schema['type']].flat().find((one) => one !== 'null');
  if ('const' in schema) return schema['const'];
  if (Array.isArray(schema['enum'])) return schema['enum'][0];
  const options = schema['anyOf'] ?? schema['oneOf'];
  if (Array.isArray(options)) return worst(options.find((one) => one.type !== 'null'));
  if (type === 'string') return typeof pattern === 'string' ? fitting(pattern) : EVIL.slice(0, Number(maxLength ?? 99));
  if (type === 'number' || type === 'integer') return Math.max(1, Number(minimum ?? 1));
  if (type === 'boolean') return true;
  if (type === 'array') return [worst(items as Record<string, unknown>)];
  const named = Object.entries((properties ?? {}) as Record<string, Record<string, unknown>>);
  const free = typeof additionalProperties === 'object' && additionalProperties !== null ? additionalProperties : null;
  return Object.fromEntries([
    ...named.map(([name, each]) => [name, worst(each)]),
    ...(free && Object.keys(free).length > 0 ? [[EVIL, worst(free as Record<string, unknown>)]] : []),
  ]);
}
const worstOf = (schema: z.ZodType): unknown => {
  const value = worst(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }));
  return schema.parse(value);
};

const REQUEST = OperatorRequestRecordSchema.pick({ ...{ member: true, kind: true, opId: true, by: true, why: true } });
const REPLIES: Readonly<Record<string, unknown>> = {
  '/v1/status': worstOf(StatusViewSchema),
  '/v1/members': worstOf(MembersViewSchema),
  '/v1/recoveries': worstOf(RecoveriesViewSchema),
  '/v1/holds': worstOf(HoldsViewSchema),
  '/v1/history?limit=1000': worstOf(HistoryViewSchema),
  '/v1/leftovers': worstOf(LeftoversViewSchema),
  '/v1/keys': worstOf(KeysViewSchema),
  '/v1/members/db/primary/explain': worstOf(ExplainViewSchema),
};

let server: Server;
let url: string;
let printed: string;
let complained: string;
/** `status` names only coordinators that exist. */
let named: boolean;

beforeEach(async () => {
  [printed, complained, named] = ['', '', false];
  server = createServer((request, response) => {
    const asked = { request: worstOf(REQUEST), repeated: false };
    const path = request.url ?? '';
    const body = request.method === 'POST' ? asked : REPLIES[path];
    response.writeHead(body === undefined ? 404 : 200, { 'content-type': 'application/json' });
    const found = (name: string, value: unknown): unknown => (named && name === 'httpUrl' ? url : value);
    response.end(JSON.stringify(body ?? problemDetails('PATH_UNKNOWN', EVIL, 'r1'), found));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => ((printed += String(text)), true));
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => ((complained += String(text)), true));
});
afterEach(async () => {
  vi.restoreAllMocks();
  process.exitCode = 0;
  await new Promise((resolve) => server.close(resolve));
});

function understudy(...args: readonly string[]): Promise<unknown> {
  const program = buildProgram({ clock: new SimClock(), random: new SeededRandom(1), environment: {} });
  for (const command of [program, ...program.commands]) command.exitOverride();
  return program.parseAsync(['node', 'understudy', ...args]);
}

describe('what other people wrote does nothing to the terminal', () => {
  const SCREENS: readonly (readonly [string, readonly string[]])[] = [
    ['/v1/status', ['status']],
    ['/v1/members', ['members']],
    ['/v1/recoveries', ['recoveries']],
    ['/v1/leftovers', ['leftovers']],
    ['/v1/holds', ['holds']],
    ['/v1/history?limit=1000', ['history']],
    ['/v1/members/db/primary/explain', ['explain', 'db/primary']],
  ];

  test.each(SCREENS)('%s as text', async (_, command) => {
    await understudy(...command, '--url', url);
    expect(printed).toContain('␛[2J');
    expect(withoutColours(printed)).not.toMatch(OBEYED);
    // None of their lines looks like one of ours.
    expect(printed.split('\n').filter((line) => line.startsWith('well'))).toEqual([]);
    expect(complained).toBe('');
  });

  test.each(SCREENS)('%s as JSON, which says the same', async (path, command) => {
    await understudy(...command, '--json', '--url', url);
    expect(printed).not.toMatch(OBEYED);
    const shown: unknown = JSON.parse(printed);
    const sent = REPLIES[path];
    expect(JSON.stringify(shown)).toContain(JSON.stringify(EVIL).slice(1, -1));
    expect([sent, Object.values(sent ?? {})[0]]).toContainEqual(shown);
  });

  test('keys status, of a coordinator that has only strange words', async () => {
    named = true;
    await understudy('keys', 'status', '--url', url);
    expect(withoutColours(printed)).toContain('␛[2J');
    expect(withoutColours(printed)).not.toMatch(OBEYED);
  });

  it('inspect, of a record that fits and of a value that is none', () => {
    const base = { modRevision: 2, createRevision: 1, leaseId: null };
    const root = '/understudy/v1/';
    const keys = [
      inspectEntry(root, { ...base, key: `${root}${EVIL}/x`, value: EVIL }),
      inspectEntry(root, { ...base, key: `${root}holds/a/b`, value: JSON.stringify({ [EVIL]: EVIL }) }),
    ];
    const shown = withoutColours(shownOf(keys, keysText));
    expect(shown).toContain('␛[2J');
    expect(shown).not.toMatch(OBEYED);
    expect(shown).toContain('\n  well');
  });

  it('nor do errors, whose lines are kept', () => {
    complain(`first\n  ${EVIL}`);
    complain(harmlessText(EVIL));
    expect(complained.slice(0, -1)).not.toMatch(OBEYED);
    expect(complained).toContain('first\n  ␛[2J');
    expect(complained.split('\n').filter((line) => line.startsWith('well'))).toHaveLength(1);
  });
});

test('leftovers are dated in the same words as everything else', () => {
  const leftover = { member: 'a/b', opId: 'o', kind: 'instance', id: 'i-1', text: 'kept', obstacle: null } as const;
  const shown = leftoversText([{ ...leftover, afterWallMs: 1_767_225_600_000 }]);
  expect(shown).toContain('after 2026-01-01 00:00:00 UTC');
});
