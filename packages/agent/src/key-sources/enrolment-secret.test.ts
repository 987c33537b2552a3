import { SeededRandom } from '@understudy/shared/testing';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { enrolmentSecret } from './enrolment-secret.ts';

const random = new SeededRandom(1);
let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'understudy-secret-'));
  file = join(folder, 'state', 'enrolment.json');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('what an agent enrols with', () => {
  it('is on the disk before it is used, for the agent alone, and is the same the next time', async () => {
    const secret = await enrolmentSecret('i-1', file, random);
    expect(secret).toHaveLength(32);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(await enrolmentSecret('i-1', file, random)).toEqual(secret);
  });

  it('is another one on another instance: the disk is a copy', async () => {
    const secret = await enrolmentSecret('i-1', file, random);
    const other = await enrolmentSecret('i-2', file, random);
    expect(other).not.toEqual(secret);
    expect(readFileSync(file, 'utf8')).toContain('"i-2"');
  });

  it.each(['', '{}', 'null', '{"instanceId":"i-1","secret":"00"}'])('is made anew where %j is kept', async (text) => {
    await enrolmentSecret('i-1', file, random);
    writeFileSync(file, text);
    expect(await enrolmentSecret('i-1', file, random)).toHaveLength(32);
  });

  it('is not made anew where it cannot be read: it may be the one that we are known by', async () => {
    mkdirSync(file, { recursive: true });
    await expect(enrolmentSecret('i-1', file, random)).rejects.toMatchObject({ name: 'SecretUnkept' });
  });
});
