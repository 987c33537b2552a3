/** What tests of other packages, and the tools in test/, use beyond the public entry. */
export type { SdkTransport } from './sdk/client-config.ts';
