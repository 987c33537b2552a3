/**
 * Builds the dashboard unless it is there, made of this source. Returns its folder. `tools`: with
 * what to run it; default: what the set-up finds.
 */
export function ensureDashboard(tools?: {
  readonly node: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}): Promise<string>;
