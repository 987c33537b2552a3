import { type Cloud, InvariantViolation } from '@understudy/shared';
import { Ec2Cloud } from './ec2-cloud.ts';

/** One call as it would be sent: the action, and its parameters in the SDK's names. */
export interface RecordedCall {
  readonly action: string;
  readonly input: Readonly<Record<string, unknown>>;
}

/** Ends the call where it would have been sent. */
class NotSent extends Error {
  override readonly name = 'NotSent';
}

/**
 * What the first call of `send` would be, by the adapter that sends the real ones. Nothing is sent.
 * Null: it makes none.
 */
export async function recordedCall(send: (cloud: Cloud) => Promise<unknown>): Promise<RecordedCall | null> {
  const seen: RecordedCall[] = [];
  const cloud = new Ec2Cloud(async (action, input) => {
    seen.push({ action, input });
    throw new NotSent(`${action} is only told`);
  });
  try {
    await send(cloud);
  } catch (error) {
    if (error instanceof InvariantViolation || seen.length === 0) throw error;
  }
  return seen[0] ?? null;
}
