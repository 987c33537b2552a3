/** V8 flags the bundle is measured with. */
export const AGENT_NODE_FLAGS: readonly string[];
/** Makes sure the bundle is there and current; returns its path. */
export function bundleAgent(): Promise<string>;
