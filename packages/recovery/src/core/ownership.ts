import type { MovedFlip, MovedItem } from '@understudy/shared';

/** Where something is that a recovery has put somewhere, as EC2 shows it. */
export type Found =
  | { readonly kind: 'there' }
  /** Nobody has it. */
  | { readonly kind: 'free' }
  /** With the instance that the recovery retired; `from`: what names exactly that. */
  | { readonly kind: 'retired'; readonly from: string }
  /** `text`: why it is left so, where it is not simply somebody else's. */
  | { readonly kind: 'elsewhere'; readonly holder: string; readonly text?: string }
  /** EC2 does not show it, or does not answer: nothing is concluded. */
  | { readonly kind: 'unknown' };

export type OwnershipMove =
  | { readonly kind: 'nothing' }
  /** Written down; nothing is done. */
  | { readonly kind: 'note'; readonly flip: MovedFlip }
  /** Written down first, then put back, and taken off `from` before where it is not null. */
  | { readonly kind: 'put-back'; readonly flip: MovedFlip; readonly from: string | null };

/** Calls that put one thing back, while it was not seen back. */
export const PUT_BACK_TRIES_MAX = 3;

const HOLDERS: Readonly<Record<'free' | 'retired', string>> = {
  free: 'nobody',
  retired: 'the instance that was replaced',
};

/**
 * What follows from a look. What went to nobody, or back to the retired instance, is put back once;
 * whoever moves it away again means it. **S** (S12) What somebody else has is never touched, and
 * what was left to a person stays with the person.
 */
export function ownershipMove({ flip }: Pick<MovedItem, 'flip'>, found: Found, nowWallMs: number): OwnershipMove {
  switch (found.kind) {
    case 'unknown':
      return { kind: 'nothing' };
    case 'there':
      return isOver(flip) ? { kind: 'nothing' } : { kind: 'note', flip: back(flip, nowWallMs) };
    case 'elsewhere': {
      const text = found.text ?? `${found.holder} has it; what somebody else has is never taken away`;
      return flip?.left === text ? { kind: 'nothing' } : left(flip, found.holder, text, nowWallMs);
    }
    case 'free':
    case 'retired':
      return astray(flip, found, nowWallMs);
  }
}

const isOver = (flip: MovedFlip | undefined): flip is undefined | MovedFlip =>
  flip === undefined || (flip.backAtWallMs !== undefined && flip.left === undefined);

/** A person has put it back, or we have. */
function back(flip: MovedFlip | undefined, nowWallMs: number): MovedFlip {
  const { holder = '', seenAtWallMs = nowWallMs, tries = 0 } = flip ?? {};
  return { holder, seenAtWallMs, tries, backAtWallMs: nowWallMs };
}

function left(flip: MovedFlip | undefined, holder: string, text: string, nowWallMs: number): OwnershipMove {
  return { kind: 'note', flip: { seenAtWallMs: nowWallMs, tries: 0, ...flip, holder, left: text } };
}

function astray(
  flip: MovedFlip | undefined,
  found: Extract<Found, { kind: 'free' | 'retired' }>,
  nowWallMs: number,
): OwnershipMove {
  if (flip?.left !== undefined) return { kind: 'nothing' };
  const holder = HOLDERS[found.kind];
  if (flip?.backAtWallMs !== undefined)
    return left(flip, holder, 'it was put back once and has gone again: whoever moves it means it', nowWallMs);
  const tries = flip?.tries ?? 0;
  if (tries >= PUT_BACK_TRIES_MAX)
    return left(flip, holder, `it was not seen back after ${tries} calls that put it back`, nowWallMs);
  const next = { holder, seenAtWallMs: flip?.seenAtWallMs ?? nowWallMs, tries: tries + 1 };
  return { kind: 'put-back', flip: next, from: found.kind === 'retired' ? found.from : null };
}
