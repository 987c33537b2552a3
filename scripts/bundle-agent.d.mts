/** V8 flags the bundle is measured with. */
export const AGENT_NODE_FLAGS: readonly string[];
/** Makes sure the bundle is there and current; returns its path. */
export function bundleAgent(): Promise<string>;
/** The bundle itself, and the files that went into it, their paths below the checkout. */
export function agentBundle(): Promise<{
  readonly contents: Uint8Array;
  /** The program that fetches a key from AWS. */
  readonly fetchKey: Uint8Array;
  readonly inputs: readonly string[];
}>;
