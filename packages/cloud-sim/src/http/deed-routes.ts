import type { FastifyInstance } from 'fastify';
import type { Deed, DeedWorld } from '../deeds/deed.ts';
import { DEEDS } from '../deeds/index.ts';
import { body, done } from './admin-replies.ts';

type Params = { Params: Record<string, string> };

function addDeedRoute(app: FastifyInstance, world: DeedWorld, deed: Deed): void {
  app.post<Params>(`/_sim${deed.path}`, (request, reply) => {
    const said = body(deed.schema, deed.requested(request.params, request.body), reply);
    if (said === null) return reply;
    const outcome = deed.perform(world, said);
    return typeof outcome === 'boolean' ? done(reply, outcome, deed.otherwise) : reply.send(outcome);
  });
}

/** A route for every deed. */
export function addDeedRoutes(app: FastifyInstance, world: DeedWorld): void {
  for (const deed of DEEDS) addDeedRoute(app, world, deed);
}
