import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type LadderRung, PoliciesViewSchema } from '@understudy/shared';
import { until } from '@understudy/shared/node';
import { stringify } from 'yaml';
import { LAB_POLICY } from '../lab/configuration.ts';
import type { Lab } from '../lab/lab.ts';
import { understudy } from '../operator.ts';

/** What an operator changes of the lab's group while a scenario lasts. */

/** A way back before a replacement from snapshots. */
export type Rung = Exclude<LadderRung, 'snapshot-and-replace'>;

const APPLIED_WITHIN_MS = 30_000;

/** Until it is taken: while nobody leads, nobody takes it. */
export async function asked(lab: Lab, ...words: readonly string[]): Promise<void> {
  await until(
    words.slice(0, 2).join(' '),
    async () => {
      const said = await understudy(lab, ...words, '--yes', '--reason', 'the lab tries a ladder');
      assert.ok(said.code === 0 || said.code === 69, `${words.join(' ')}: ${said.code}: ${said.out}${said.errors}`);
      return said.code === 0;
    },
    APPLIED_WITHIN_MS,
  );
}

export async function applied(lab: Lab, recover: object, more: object = {}): Promise<void> {
  const file = join(lab.folder.path, 'ladder.yaml');
  const policy = { ...LAB_POLICY, ...more, recover: { ...LAB_POLICY.recover, ...recover } };
  writeFileSync(file, stringify({ group: 'lab', policy }));
  await asked(lab, 'apply', '-f', file);
}

/** The group tries this way first, and has its own policy again when the scenario is over. */
export async function withLadder(lab: Lab, rung: Rung): Promise<void> {
  lab.undoLater(() => applied(lab, { strategy: 'snapshot-and-replace' }));
  await applied(lab, { ladder: { rungs: [rung, 'snapshot-and-replace'] } });
  const { process } = lab.leaderSeat;
  await until('the ladder is in force', async () => {
    const reply = await process.json('/v1/policies');
    if (reply === null) return false;
    const own = PoliciesViewSchema.parse(reply).policies.find((one) => one.group === 'lab');
    return JSON.stringify(own?.effective).includes(`"rungs":["${rung}"`);
  });
}
