import { describe, expect, test } from 'vitest';
import { NO_KEY_FACTS } from '../core/volume-keys.ts';
import type { KeyLooks } from '../plan/key-looks.ts';
import { keyFactsOf, refusedForKey } from './locked-volumes.ts';
import { RunRig } from '../run.fixtures.ts';
import { Run } from '../run.ts';

const KEY = 'arn:aws:kms:us-east-1:1:key/k';

async function runWith(kmsKeyId: string | null, keyLooks: boolean) {
  const plain = new RunRig().intent.record.plan.volumes;
  const rig = new RunRig({
    plan: { volumes: plain.map((one) => ({ ...one, encrypted: kmsKeyId !== null, kmsKeyId })) },
  });
  const asked: unknown[] = [];
  const look = async (names: readonly string[]) => {
    asked.push(names);
    return NO_KEY_FACTS;
  };
  const { parts, intent, strategy, seams, term, journal } = await rig.run();
  const own = keyLooks ? { ...parts, keyLooks: { look } as unknown as KeyLooks } : parts;
  return { asked, run: new Run(own, { intent, strategy, seams }, term, journal, 0) };
}

describe('keys of volumes', () => {
  test('are asked about where there are any, and somebody to ask', async () => {
    const one = await runWith(KEY, true);
    await keyFactsOf(one.run);
    expect(one.asked).toEqual([[KEY]]);
  });

  test.each([
    ['no volume has one', null, true],
    ['nobody can be asked', KEY, false],
  ])('are not known where %s', async (_name, key, keyLooks) => {
    const one = await runWith(key, keyLooks);
    expect(await keyFactsOf(one.run)).toBe(NO_KEY_FACTS);
    expect(one.asked).toEqual([]);
  });

  test('that EC2 refuses for are for a person, in EC2’s words', async () => {
    const { run } = await runWith(KEY, true);
    expect(await refusedForKey(run, 'EC2 says no')).toMatchObject({
      ...{ kind: 'hold', reason: 'KmsKeyUnusable', text: expect.stringMatching(/^EC2 says no\. .*goes on by itself/s) },
    });
  });
});
