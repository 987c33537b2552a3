/** What tests of other packages, and the tools in test/, use beyond the public entry. */
export { earned, READ_RETRIES } from './ec2/retry-budget.ts';
export type { SdkTransport } from './ec2/sdk-transport.ts';
