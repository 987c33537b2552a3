import { keyAdvice, type KeyFacts, keysOf, lockedTexts, NO_KEY_FACTS } from '../core/volume-keys.ts';
import { volumesOf } from './captured-volumes.ts';
import type { Run } from '../run.ts';

/**
 * What KMS says of the keys of all the volumes the replacement gets; nothing where there are none.
 */
export async function keyFactsOf(run: Run): Promise<KeyFacts> {
  const names = keysOf(volumesOf(run));
  const { keyLooks } = run.parts;
  return keyLooks === undefined || names.length === 0 ? NO_KEY_FACTS : keyLooks.look(names, run.signal);
}

interface KeyHold {
  readonly kind: 'hold';
  readonly reason: 'KmsKeyUnusable';
  readonly text: string;
}

const GOES_ON = 'Nothing is asked of EC2 that would fail on it; it goes on by itself once the key can be used';

/** null: no key is known to be in the way. What EC2 would accept and let fail later is not sent. */
export async function lockedHold(run: Run): Promise<KeyHold | null> {
  const locked = lockedTexts(volumesOf(run), await keyFactsOf(run));
  if (locked.length === 0) return null;
  return { kind: 'hold', reason: 'KmsKeyUnusable', text: `${locked.join('. ')}. ${GOES_ON}` };
}

/** EC2 itself has refused for a key. */
export async function refusedForKey(run: Run, said: string): Promise<KeyHold> {
  const advice = keyAdvice(volumesOf(run), await keyFactsOf(run));
  return { kind: 'hold', reason: 'KmsKeyUnusable', text: `${said}. ${advice}. It goes on by itself once that works` };
}
