import type { FastifyInstance } from 'fastify';
import type { ScriptRun } from '../script/script-run.ts';
import { ScriptSchema } from '../script/script-schema.ts';
import { body } from './admin-replies.ts';

/** `POST /_sim/script` begins one, `GET` says what became of its steps, `DELETE` ends it. */
export function addScriptRoutes(app: FastifyInstance, script: ScriptRun): void {
  app.post('/_sim/script', (request, reply) => {
    const wanted = body(ScriptSchema, request.body, reply);
    if (!wanted) return reply;
    script.start(wanted);
    return reply.send({ ok: true });
  });
  app.get('/_sim/script', (_request, reply) => reply.send({ name: script.name, steps: script.states() }));
  app.delete('/_sim/script', (_request, reply) => {
    script.stop();
    return reply.send({ ok: true });
  });
}
