import { type Kms, type KmsKey, OperationError, type Raw, rawOf, textOf } from '@understudy/shared';
import { mapEc2Error } from '../transport/map-error.ts';
import type { ServiceOptions } from '../transport/send-once.ts';
import { timedTransport } from '../transport/timed-transport.ts';
import type { KmsAction } from './actions.ts';

const ACTION: KmsAction = 'DescribeKey';

/** {@link Kms} over a transport. */
export function kmsOver({ transport, clock, callTimeoutMs, limiter }: ServiceOptions): Kms {
  const timed = timedTransport(transport, clock, callTimeoutMs);
  const send = limiter?.limited(timed) ?? timed;
  return {
    describeKey: async (keyId, options) => {
      try {
        const answer = await send(ACTION, { KeyId: keyId }, { ...options, mutating: false });
        return keyIn(keyId, rawOf(answer.KeyMetadata));
      } catch (error) {
        if (isNotFound(error)) return null;
        throw mapEc2Error(error, { action: ACTION, mutating: false });
      }
    },
  };
}

/** Only KMS's own answer, in the form of its protocol, gets here with that name. */
const isNotFound = (error: unknown): boolean =>
  error instanceof Error && error.name === 'NotFoundException' && rawOf(error).$fault === 'client';

/**
 * The key in an answer.
 * @throws CLOUD_UNAVAILABLE where the answer is not about the key that was asked for (S18)
 */
function keyIn(asked: string, raw: Raw): KmsKey {
  const [keyId, arn, state] = [textOf(raw.KeyId), textOf(raw.Arn), textOf(raw.KeyState)];
  if (keyId === null || arn === null || state === null || !isAbout(asked, keyId, arn)) {
    throw new OperationError('CLOUD_UNAVAILABLE', `${ACTION}: the answer is not about ${asked}: it is not KMS's`);
  }
  const deletion = raw.DeletionDate;
  return {
    keyId,
    arn,
    state,
    manager: raw.KeyManager === 'AWS' ? 'AWS' : 'CUSTOMER',
    deletionAtWallMs: deletion instanceof Date ? deletion.getTime() : null,
  };
}

const KEY_ARN = /^arn:[\w-]+:kms:[\w-]*:\d*:key\/(.+)$/;

/**
 * True when the answer is about the key that was asked for. An alias does not say which key it
 * names; then the answer has to be about some key whose id and ARN agree.
 */
function isAbout(asked: string, keyId: string, arn: string): boolean {
  if (KEY_ARN.exec(arn)?.[1] !== keyId) return false;
  if (/(?:^|:)alias\//.test(asked)) return true;
  return asked === arn || asked === keyId;
}
