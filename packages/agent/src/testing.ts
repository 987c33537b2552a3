/** What tests of other packages use of the agent's. */
export { TestCoordinator } from './agent.fixtures.ts';
export { TestMetadataService } from './agent-process.fixtures.ts';
