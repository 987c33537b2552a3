import { createRequire } from 'node:module';

/** Its types name the browser's, which would stand before Node's in every file of ours. */
interface HclParser {
  readonly parse: (filename: string, contents: string) => Promise<unknown>;
}

const require = createRequire(import.meta.url);
const parser: HclParser = require('@cdktn/hcl2json');

/**
 * HCL as HashiCorp's own parser reads it, as plain values.
 * @throws {Error} that says what is not HCL
 */
export const parseHcl: HclParser['parse'] = parser.parse;
