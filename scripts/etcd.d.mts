/**
 * Path of an etcd server binary that is new enough: `ETCD_BIN`, `etcd` on PATH, `.cache/etcd`, or a
 * private apt download. Rejects with one sentence that says what to install.
 */
export function ensureEtcd(environment?: Readonly<Record<string, string | undefined>>, cache?: string): Promise<string>;
