/**
 * A broken invariant: a bug of ours. It is never caught below `main.ts`; the process releases
 * leadership and exits non-zero.
 */
export class InvariantViolation extends Error {
  override readonly name = 'InvariantViolation';
}

/** Throws {@link InvariantViolation} unless `condition` holds. Put both numbers into `text`. */
export function invariant(condition: unknown, text: string): asserts condition {
  if (!condition) throw new InvariantViolation(text);
}

/** Closes a switch over a union, so that a new member fails to compile. */
export function unreachable(value: never): never {
  throw new InvariantViolation(`unreachable value ${JSON.stringify(value)}`);
}
