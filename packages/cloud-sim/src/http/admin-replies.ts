import type { FastifyReply } from 'fastify';
import * as z from 'zod';

/** The parsed body. Null: it does not fit the schema, and that was answered. */
export function body<T>(schema: z.ZodType<T>, value: unknown, reply: FastifyReply): T | null {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  void reply.code(400).send({ error: z.prettifyError(parsed.error) });
  return null;
}

export const done = (reply: FastifyReply, ok: boolean, otherwise: string) =>
  ok ? reply.send({ ok }) : reply.code(409).send({ error: otherwise });
