/** What the command and the tools run of a coordinator. */
export { type CoordinatorConfig, CoordinatorConfigSchema, maskedConfig } from './config.ts';
export { secretReader } from './adapters/node/secret-reader.ts';
export { checkCoordinator, openStore } from './main.ts';
export { signersFor } from './identity/signers.ts';
export { etcdVersionFault } from './store/etcd-version.ts';
