import type { OperationError } from '@understudy/shared';
import { LAUNCH_ERRORS } from './launch-errors.ts';
import type { RefusalClass } from './refusal-class.ts';

/** The class of each code that is known, from the table of launch errors. */
export const REFUSAL_CLASSES: ReadonlyMap<string, RefusalClass> = new Map(
  LAUNCH_ERRORS.flatMap(({ codes, refusal }) => codes.map((code) => [code, refusal] as const)),
);

/**
 * EC2 has several spellings for a key that does not exist, is in the wrong state or is not allowed
 * (`InvalidKMSKey.InvalidState`, `KMSKeyNotAccessible…`).
 */
const KEY_CODE = /^(?:Invalid)?KmsKey|^KMS\w*Exception$/i;

/** EC2 has no code of its own for an instance profile that it does not know, or not yet. */
const isUnseenProfile = ({ upstreamCode, message }: OperationError): boolean =>
  upstreamCode === 'InvalidParameterValue' && /iam\s?instance\s?profile/i.test(message);

/**
 * The class of an error. EC2's own code decides where we know it. For one we do not know: what was
 * refused condemns the candidate (another may do, and when none does a person is told each reason),
 * and what was not certainly refused is `unknown`.
 */
export function refusalClassOf(error: OperationError): RefusalClass {
  const known = isUnseenProfile(error) ? 'lag' : REFUSAL_CLASSES.get(error.upstreamCode ?? '');
  const certain = error.code !== 'CLOUD_OUTCOME_UNKNOWN' && error.code !== 'CLOUD_UNAVAILABLE';
  if (certain && KEY_CODE.test(error.upstreamCode ?? '')) return 'key';
  switch (error.code) {
    case 'CLOUD_OUTCOME_UNKNOWN':
      return 'unknown';
    case 'CLOUD_THROTTLED':
    case 'CLOUD_UNAVAILABLE':
      return known ?? 'transient';
    case 'CLOUD_CONFLICT':
      // EC2 says of several codes that something is in use: then the state is the matter, not the
      // request.
      return known === 'launched' || known === 'unknown' ? known : 'conflict';
    case 'CLOUD_DENIED':
      return 'denied';
    case 'CLOUD_CAPACITY':
      return known ?? 'capacity';
    case 'CLOUD_NOT_FOUND':
      return known ?? 'lag';
    case 'CLOUD_REJECTED':
      return known ?? 'candidate';
    default:
      return 'unknown';
  }
}

/**
 * The call certainly changed nothing: it costs no try, and may be sent again under the same number.
 */
export const madeNothing = (error: OperationError): boolean => {
  const refusal = refusalClassOf(error);
  return refusal !== 'unknown' && refusal !== 'launched';
};
