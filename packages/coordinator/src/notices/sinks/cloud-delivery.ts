import { errorText, isOperationError } from '@understudy/shared';
import type { Delivery } from '../sink.ts';

/**
 * What became of a call that tells a service of AWS. It says of the very message that it will not
 * have it (CLOUD_REJECTED), or else the way to it is blocked: throttled, not there, closed to us,
 * out of reach, or no answer. Then nothing overtakes, and the same is sent again under its id.
 */
export async function deliveryOf(call: Promise<unknown>): Promise<Delivery> {
  try {
    await call;
    return { kind: 'taken' };
  } catch (error) {
    const isOfNotice = isOperationError(error) && error.code === 'CLOUD_REJECTED';
    const code = isOperationError(error) ? `${error.code}: ` : '';
    return { kind: 'refused', text: `${code}${errorText(error)}`, isOfNotice };
  }
}
