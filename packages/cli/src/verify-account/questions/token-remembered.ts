import type { Answer, Bench, Question } from '../question.ts';
import { refusalOf } from '../refusal.ts';

const EVERY_MS = 60_000;
const MS_PER_MINUTE = 60_000;

/** What the repeat of a launch brought. */
async function repeat({ things }: Bench, token: string, instanceId: string): Promise<string> {
  try {
    const again = await things.launch({ token });
    return again.instanceId === instanceId ? 'the same instance' : 'another instance';
  } catch (error) {
    return refusalOf(error);
  }
}

const minutes = (ms: number): number => Math.round((ms / MS_PER_MINUTE) * 10) / 10;

async function ask(bench: Bench): Promise<Answer> {
  const { clock, given, things, cloud } = bench;
  const token = things.token();
  const fromMs = clock.monotonicMs();
  const { instanceId } = await things.running({ token });
  await cloud.terminateInstance(instanceId);
  await things.until(instanceId, 'terminated');
  const answers: string[] = [];
  for (;;) {
    const answer = await repeat(bench, token, instanceId);
    const ageMinutes = minutes(clock.monotonicMs() - fromMs);
    if (answers.at(-1) !== answer) answers.push(answer);
    if (answer === 'another instance') {
      const saw = `after ${ageMinutes} min the token launched another instance`;
      return { verdict: 'otherwise', saw, figures: { ageMinutes } };
    }
    if (clock.monotonicMs() - fromMs + EVERY_MS > given.patienceMs) {
      const saw = `remembered for at least ${ageMinutes} min (${answers.join(', then ')})`;
      return { verdict: 'as-assumed', saw, figures: { ageMinutes } };
    }
    await clock.sleep(EVERY_MS);
  }
}

export const tokenRemembered: Question = {
  id: 'token-remembered',
  asks: 'how long is a ClientToken remembered, also of an instance that has ended?',
  restsOn: 'S6, S7: before every repeat we describe by token, tag and interface, so this is for long pauses only',
  remedy: 'keep loop pauses shorter than the age seen, and open an issue with this report',
  needs: [],
  use: { instances: 1, minutes: 15, diskGiB: 8 },
  calls: ['RunInstances', 'TerminateInstances'],
  ask,
};
