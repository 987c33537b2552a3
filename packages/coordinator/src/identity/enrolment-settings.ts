import type { KeyObject } from 'node:crypto';

/** Says whose identity documents count. */
export interface EnrolmentSettings {
  /** The Region whose instances EC2 is asked about. */
  readonly region: string;
  readonly accounts: readonly string[];
  /** Keys by which AWS signs in that Region. */
  readonly signers: readonly KeyObject[];
}
