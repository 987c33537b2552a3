import type { FastifyInstance } from 'fastify';
import { Refusal } from './refusal.ts';

/** A path of ours. What a URL parser would take for another host begins otherwise. */
const OWN_PATH = /^\/(?![/\\])/;

/**
 * **S** Refuses what names another server than this one: `GET http://other/path`, `//other/path`.
 * The router would find the path in it, and a follower would pass it on to that host. It comes
 * before every other hook.
 */
export function addTargetCheck(server: FastifyInstance): void {
  server.addHook('onRequest', async (request, reply) => {
    if (OWN_PATH.test(request.url)) return;
    void reply.header('request-id', request.id);
    throw new Refusal('BAD_REQUEST', 'want a path of this server, which begins with one slash');
  });
}
