import { instanceDeed } from './deed.ts';

/** Its power is gone; its state stays `running`. */
export const crash = instanceDeed({
  name: 'crash',
  path: 'crash',
  fields: {},
  otherwise: 'no running instance of that id, or crashed already',
  perform: ({ sim }, id) => sim.crashInstance(id),
});
