import { ensureEtcd } from '../../scripts/etcd.mjs';

/** Integration tests start their own etcd from `ETCD_BIN`; also when vitest is run by hand. */
export default async function setUp(): Promise<void> {
  process.env.ETCD_BIN = await ensureEtcd();
}
