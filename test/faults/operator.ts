import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  keyspace,
  type MemberId,
  type OperatorAct,
  OperatorRequestRecordSchema,
  parseRecord,
} from '@understudy/shared';
import { until } from '@understudy/shared/node';
import type { Lab } from './lab/lab.ts';

const KEYS = keyspace();
const COMMAND = fileURLToPath(new URL('../../understudy', import.meta.url));
const CARRIED_OUT_WITHIN_MS = 60_000;

/** How the command ended, and what it wrote. */
export interface Said {
  readonly code: number | null;
  readonly out: string;
  readonly errors: string;
}

/**
 * Runs `./understudy ARGS` as a person types it, with the addresses of all coordinators and the
 * operator's token in its environment.
 */
export async function understudy(lab: Lab, ...args: readonly string[]): Promise<Said> {
  const child = spawn(COMMAND, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`,
      NO_COLOR: '1',
      UNDERSTUDY_URL: lab.seats.map(({ process: { httpUrl } }) => httpUrl).join(','),
      UNDERSTUDY_TOKEN_FILE: lab.tokenFile,
    },
  });
  const said = { out: '', errors: '' };
  child.stdout.on('data', (chunk: Buffer) => (said.out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (said.errors += chunk.toString()));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  return { code, ...said };
}

/**
 * Asks by the command line until the request is taken. While there is no leader, nobody takes it.
 * Asking twice is harmless.
 * @throws when it is refused
 */
export async function ask(lab: Lab, member: MemberId, kind: OperatorAct['kind'], ...more: readonly string[]) {
  const told = await until(`${kind} of ${member} taken`, async () => {
    const said = await understudy(
      lab,
      kind,
      member,
      ...more,
      '--yes',
      '--reason',
      `the lab asks to ${kind}`,
      '--by',
      'lab',
    );
    assert.ok(said.code === 0 || said.code === 69, `${kind} ended with ${said.code}: ${said.out}${said.errors}`);
    return said.code === 0 ? said : null;
  });
  assert.match(told.out, new RegExp(`asked: ${kind} of ${member} `));
}

/** What is asked and not carried out yet. Null: nothing is. */
export async function pendingRequest(lab: Lab, member: MemberId) {
  const entry = await lab.store.get(KEYS.request(member));
  return entry === null ? null : parseRecord(OperatorRequestRecordSchema, entry.key, entry.value);
}

export const carriedOut = (lab: Lab, member: MemberId): Promise<unknown> =>
  until(
    `the request of ${member} is carried out`,
    async () => (await pendingRequest(lab, member)) === null,
    CARRIED_OUT_WITHIN_MS,
  );
