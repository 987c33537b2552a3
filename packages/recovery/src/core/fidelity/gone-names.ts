import type { GroupPolicy } from '@understudy/shared';
import { type Named, namedBy, type NameInUse } from '../references.ts';
import type { FidelityRow, Refusal, Rule } from './row.ts';

/**
 * What a policy may leave out of a launch when it is gone. A key pair is always left out: its
 * public key is on the root disk.
 */
type Dispensable = GroupPolicy['recover']['leaveOutWhenGone'][number];

/** A launch that is only tried. */
export const DRY_RUN = 'RunInstances (DryRun)';

interface GoneName extends NameInUse {
  readonly kind: Dispensable;
  /** `…Gone` refuses the recovery, `…LeftOut` is the loss where the policy does without. */
  readonly code: string;
  readonly words: (named: Named) => string;
}

/**
 * The parts of a row whose attribute names what may be deleted. A launch that names what is gone
 * would be refused every time: no recovery, unless the policy leaves it out.
 */
export function nameThatMayBeGone({
  kind,
  code,
  asked,
  existence,
  words,
}: GoneName): Required<Pick<FidelityRow, 'names' | 'loss' | 'notice' | 'refuse'>> {
  const leftOut: Rule = {
    code: `${code}LeftOut`,
    text: ({ input: { instance, references }, policy }) =>
      existence(references) === 'gone' && policy.recover.leaveOutWhenGone.includes(kind)
        ? `${words(namedBy(instance))} is gone; the policy leaves it out`
        : null,
  };
  const refusal: Refusal = {
    code: `${code}Gone`,
    text: ({ input: { instance, references }, policy }) =>
      existence(references) === 'gone' && !policy.recover.leaveOutWhenGone.includes(kind)
        ? `${words(namedBy(instance))}, which the instance was launched with, does not exist or cannot be used any more. Make it anew, or add ${kind} to recover.leaveOutWhenGone in the group's policy`
        : null,
    remedy: `Make it anew, or add \`${kind}\` to \`recover.leaveOutWhenGone\` in the policy.`,
  };
  return { names: { asked, existence }, loss: [leftOut], notice: [leftOut], refuse: [refusal] };
}
