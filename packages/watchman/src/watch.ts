import { type Clock, durationText, type Topic, type TopicMessage } from '@understudy/shared';
import type { AskReadiness } from './adapters/ask-readiness.ts';
import { type Decision, decide, keptAfter, type Look, type Memory } from './core/decide.ts';
import type { Settings } from './settings.ts';

/** Between two rounds of looks. */
const LOOK_EVERY_MS = 15_000;
const PUBLISH_TRIES_MAX = 3;
const PUBLISH_AGAIN_MS = 2_000;

export interface WatchParts {
  readonly clock: Clock;
  readonly ask: AskReadiness;
  readonly topic: Topic;
  readonly settings: Settings;
}

export interface Watched {
  readonly decision: Decision;
  readonly looks: readonly Look[];
  readonly memory: Memory;
}

/**
 * Looks until one answers or all have been silent for long enough.
 * @throws what SNS refused with
 */
export async function watch(memory: Memory, { clock, ask, topic, settings }: WatchParts): Promise<Watched> {
  const beganAtMs = clock.monotonicMs();
  const roundsMax = Math.ceil(settings.silentForMs / LOOK_EVERY_MS) + 1;
  for (let round = 0; ; round += 1) {
    const looks = await Promise.all(settings.coordinators.map(ask));
    const nowWallMs = clock.wallMs();
    // Rounds count too: a process that was frozen has not looked meanwhile, nor been silent less.
    const silentForMs = round >= roundsMax ? settings.silentForMs : clock.monotonicMs() - beganAtMs;
    const decision = decide(memory, { looks, silentForMs, nowWallMs }, settings);
    if (decision.kind === 'look-again') {
      await clock.sleep(LOOK_EVERY_MS);
      continue;
    }
    if (decision.kind !== 'end') await publish(topic, messageOf(decision, looks, settings, nowWallMs), clock);
    return { decision, looks, memory: keptAfter(memory, decision, nowWallMs) };
  }
}

function messageOf({ kind }: Decision, looks: readonly Look[], settings: Settings, nowWallMs: number): TopicMessage {
  const isAlarm = kind === 'alarm';
  const severity = isAlarm ? 'critical' : 'info';
  const what = isAlarm
    ? `none of ${looks.length} coordinators of Understudy does its work for ${durationText(settings.silentForMs)}`
    : 'coordinators of Understudy answer again';
  const next = isAlarm
    ? 'Nobody is judged or replaced meanwhile; workloads go on. See the coordinators’ hosts, etcd, and the way from here to them.'
    : 'Nothing.';
  const seen = looks.map(({ coordinator, text }) => ({ coordinator, text }));
  const id = `watchman-${kind}-${nowWallMs}`;
  const body = { id, type: `cluster.${isAlarm ? 'silent' : 'heard'}`, timestamp: new Date(nowWallMs).toISOString() };
  return {
    ...{ id, subject: `[${severity}] ${what}`, orderedBy: 'watchman' },
    body: JSON.stringify({ ...body, severity, what, next, seen }),
    attributes: { type: body.type, severity },
  };
}

/** A second alarm is better than none, so an unknown outcome is tried again, under the same id. */
async function publish(topic: Topic, message: TopicMessage, clock: Clock): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await topic.publish(message);
      return;
    } catch (error) {
      if (tries >= PUBLISH_TRIES_MAX) throw error;
      await clock.sleep(PUBLISH_AGAIN_MS);
    }
  }
}
