/** What tests of other packages use beyond the program itself. */
export { watchmanModule } from './watchman-bundle.ts';
