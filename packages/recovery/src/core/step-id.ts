/** One resumable unit of a recovery. */
export interface StepKey {
  /** No dash is in it, so that an id can be read back. */
  readonly name: string;
  /** Number of the launch attempt, from 1. 0: the step is not done per attempt. */
  readonly attempt: number;
  /**
   * What the step is done for, as `eipalloc-…`. Empty: it is done once. It is never a bare number.
   */
  readonly item: string;
  /** Last part of the journal key: `fence`, `launch-2`, `address-eipalloc-…`. */
  readonly id: string;
}

/** The attempt, or the item, of a step. Absent: the step is done once in a recovery. */
export type StepAt = number | string;

export const stepId = (name: string, at?: StepAt): string => (at === undefined ? name : `${name}-${at}`);

export const stepKey = (name: string, at?: StepAt): StepKey => ({
  name,
  attempt: typeof at === 'number' ? at : 0,
  item: typeof at === 'string' ? at : '',
  id: stepId(name, at),
});

/** Can a step be keyed by this item? A bare number would read back as an attempt. */
export const isItem = (item: string): boolean => /^[A-Za-z0-9._:-]+$/.test(item) && !/^\d+$/.test(item);

/** The key that a step of the journal stands under, read back. */
export function readStepId(id: string): StepKey {
  const dash = id.indexOf('-');
  if (dash === -1) return stepKey(id);
  const [name, at] = [id.slice(0, dash), id.slice(dash + 1)];
  return stepKey(name, /^\d+$/.test(at) ? Number(at) : at);
}
