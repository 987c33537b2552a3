/**
 * The only source of randomness. Safety never rests on it: ClientTokens and ids that must repeat
 * are hashes.
 */
export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  /** `byteCount` random bytes as lower-case hex. */
  hex(byteCount: number): string;
}
