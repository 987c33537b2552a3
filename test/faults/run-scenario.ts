import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { MemberId } from '@understudy/shared';
import { converge } from './audit/convergence.ts';
import { wrongCounts } from './audit/counts.ts';
import { violations } from './audit/invariants.ts';
import { MEMBERS } from './lab/configuration.ts';
import type { Lab } from './lab/lab.ts';
import type { Scenario, ScenarioResult } from './scenario.ts';

export interface Report {
  readonly name: string;
  readonly verdict: 'ok' | 'failed' | 'skipped';
  readonly evidence: string;
  readonly outcome: string;
  readonly tookMs: number;
}

const incarnations = (lab: Lab): ReadonlyMap<MemberId, number> =>
  new Map(MEMBERS.map(({ member }) => [member, lab.incumbent(member).incarnation]));

/**
 * Runs fault, healing, convergence and invariants. Never throws: a failure goes into the report.
 */
export async function runScenario(lab: Lab, scenario: Scenario): Promise<Report> {
  const startedAtMs = performance.now();
  const report = (verdict: Report['verdict'], evidence: string, outcome: string): Report => {
    return { name: scenario.name, verdict, evidence, outcome, tookMs: performance.now() - startedAtMs };
  };
  const refusal = scenario.refusal?.(lab) ?? null;
  if (refusal !== null) return report('skipped', '', refusal);
  try {
    const before = incarnations(lab);
    const known = new Set(lab.recorder.recoveries.keys());
    const result = await strike(lab, scenario);
    await converge(lab);
    judge(lab, result, known, before);
    return report('ok', result.evidence, result.outcome);
  } catch (error) {
    return report('failed', '', error instanceof Error ? error.message : String(error));
  }
}

async function strike(lab: Lab, scenario: Scenario): Promise<ScenarioResult> {
  try {
    return await scenario.run(lab);
  } catch (error) {
    await keepWords(lab, scenario.name);
    throw error;
  } finally {
    await lab.heal();
  }
}

/**
 * Keeps what every coordinator said of itself and of the members when it failed, beside its log,
 * before anything is healed.
 */
async function keepWords(lab: Lab, name: string): Promise<void> {
  const dir = join(lab.folder.path, 'logs', name);
  mkdirSync(dir, { recursive: true });
  for (const { id, process } of lab.seats) {
    const replies = await Promise.all(['/v1/status', '/v1/members'].map((path) => process.get(path)));
    writeFileSync(join(dir, `${id}.words.json`), `[${replies.map((reply) => reply?.body ?? 'null').join(',\n')}]\n`);
  }
}

/** @throws AssertionError with every violation */
function judge(
  lab: Lab,
  result: ScenarioResult,
  known: ReadonlySet<string>,
  before: ReadonlyMap<MemberId, number>,
): void {
  const fresh = [...lab.recorder.recoveries.values()].filter(({ opId }) => !known.has(opId));
  const wrong = violations(lab, fresh, { mayBeReplaced: result.victims });
  for (const { member } of MEMBERS)
    wrong.push(...wrongCounts(member, fresh, lab.incumbent(member).incarnation - (before.get(member) ?? 0), result));
  assert.deepEqual(wrong, []);
}
