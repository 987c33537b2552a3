import { instanceDeed } from './deed.ts';

/** The guest shuts down. */
export const shutDown = instanceDeed({
  name: 'shutDown',
  path: 'shutdown',
  fields: {},
  otherwise: 'no running instance of that id',
  perform: ({ sim }, id) => sim.shutDownFromInside(id),
});
