import { regionOfArn, sdkSnsTransport, topicOver } from '@understudy/aws';
import { SystemClock } from '@understudy/shared/node';
import { askReadiness } from './adapters/ask-readiness.ts';
import { type Memory, NOTHING_KEPT } from './core/decide.ts';
import { settingsOf } from './settings.ts';
import { watch } from './watch.ts';

const ASK_TIMEOUT_MS = 5_000;
const PUBLISH_TIMEOUT_MS = 5_000;

/** As long as Lambda keeps this environment. */
let memory: Memory = NOTHING_KEPT;

/**
 * What Lambda calls, on a schedule. It fails where it cannot watch or cannot tell, which an alarm
 * of CloudWatch on its errors tells.
 */
export async function handler(): Promise<object> {
  const clock = new SystemClock();
  const settings = settingsOf(process.env, clock.wallMs());
  const { topicArn } = settings;
  const sdk = sdkSnsTransport({ region: regionOfArn(topicArn), callTimeoutMs: PUBLISH_TIMEOUT_MS });
  const topic = topicOver({ transport: sdk.send, clock, callTimeoutMs: PUBLISH_TIMEOUT_MS, topicArn });
  try {
    const watched = await watch(memory, { clock, settings, topic, ask: askReadiness(clock, ASK_TIMEOUT_MS) });
    ({ memory } = watched);
    return { decision: watched.decision, looks: watched.looks };
  } finally {
    sdk.close();
  }
}
