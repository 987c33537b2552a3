/** What tests of other packages use beyond the public entry. */
export { NOTHING_KEPT } from './core/decide.ts';
export { settingsOf } from './settings.ts';
export { watch } from './watch.ts';
