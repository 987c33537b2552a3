/** Builds the dashboard unless it is there, made of this source. Returns its folder. */
export function ensureDashboard(): Promise<string>;
