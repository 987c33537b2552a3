/**
 * Builds the dashboard unless it is there, made of this source. Returns its folder. `tools`: what
 * `setUp` gives; absent: it is asked for.
 */
export function ensureDashboard(tools?: { readonly node: string; readonly env: NodeJS.ProcessEnv }): Promise<string>;
