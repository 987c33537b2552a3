import { type Ec2Transport, mapEc2Error } from '@understudy/aws';
import type { Clock } from '@understudy/shared';

/** Every call is counted with what became of it. */
export function counted(
  send: Ec2Transport,
  clock: Clock,
  note: (action: string, outcome: string, durationMs: number) => void,
): Ec2Transport {
  return async (action, input, options) => {
    const sentAtMs = clock.monotonicMs();
    try {
      const answer = await send(action, input, options);
      note(action, 'ok', clock.monotonicMs() - sentAtMs);
      return answer;
    } catch (error) {
      const { code } = mapEc2Error(error, { action, mutating: options?.mutating ?? true });
      note(action, code, clock.monotonicMs() - sentAtMs);
      throw error;
    }
  };
}
