import { createRequire } from 'node:module';

/**
 * HCL as HashiCorp's own parser reads it, as plain values. The package's types name the browser's,
 * and those would stand in the way of Node's in every file of ours, so that they are not read.
 * @throws {Error} that says what is not HCL
 */
const { parse }: { parse: (filename: string, contents: string) => Promise<unknown> } = createRequire(import.meta.url)(
  '@cdktn/hcl2json',
);
export const parseHcl = parse;
