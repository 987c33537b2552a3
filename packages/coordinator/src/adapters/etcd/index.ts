export { EtcdKvStore, type EtcdKvStoreOptions } from './etcd-kv-store.ts';
