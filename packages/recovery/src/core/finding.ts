/** A machine-readable code and one sentence for an operator. */
export interface Finding {
  readonly code: string;
  readonly text: string;
}
