/** What tests of other packages use of the agent's. */
export { ActivationApplier } from './activation-applier.ts';
export { FetchedKeys, type FetchedKeyCache } from './fetched-keys.ts';
export { keyAtStart } from './key-at-start.ts';
export { TestCoordinator } from './agent.fixtures.ts';
export { enrolledKey } from './key-sources/enrolled-key.ts';
export { NamedRefusal } from './key-sources/key-place.ts';
export { enrolmentRemedy } from './core/enrolment-remedy.ts';
export { TestMetadataService } from './agent-process.fixtures.ts';
