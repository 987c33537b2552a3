/** What tests of other packages use beyond the public entry. */
export { parseHcl } from './handback/terraform/parse-hcl.fixtures.ts';
