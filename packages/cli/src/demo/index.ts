/** What another play needs of the demo (the soak in test/soak): the house, its people and its doors. */
export { tableText } from '../views/format.ts';
export { coordinatorClient, type CoordinatorClient } from '../coordinator-client.ts';
export { type CastMember, castMember, ZONES } from './cast.ts';
export { DEMO_TIMES } from './configuration.ts';
export { ProcessGroup, type RunningProcess } from './processes.ts';
export { readScene, type Scene, SceneWatch } from './scene.ts';
export { buildTheatre, makeTheatreDir, removeTheatreDir, type Theatre, type TheatreSetting } from './theatre.ts';
