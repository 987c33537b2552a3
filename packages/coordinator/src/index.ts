/** What the command and the tools run of a coordinator. */
export { type CoordinatorConfig, CoordinatorConfigSchema, maskedConfig } from './config.ts';
export { openStore } from './main.ts';
