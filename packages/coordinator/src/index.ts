/** What the command and the tools run of a coordinator. */
export { openStore } from './main.ts';
