import { SessionViewSchema } from '@understudy/shared';
import type { FastifyRequest } from 'fastify';
import * as z from 'zod';
import type { Access } from '../access/access.ts';
import { sessionCookie } from '../access/cookie.ts';
import { refuseOtherSites } from '../access/origin.ts';
import type { Caller } from '../access/caller.ts';
import type { Session } from '../access/sessions.ts';
import type { KnownToken } from '../access/token-book.ts';
import { type AnyRoute, defineRoute, ok } from '../route.ts';

const PATH = '/v1/session';

const LoginSchema = z.strictObject({ token: z.string().min(1).max(500) });

const viewOf = (caller: Caller, session: Session | null): z.infer<typeof SessionViewSchema> => ({
  ...{ name: caller.name, role: caller.role, groups: caller.groups, via: caller.via },
  expiresAtWallMs: session?.expiresAtWallMs ?? null,
  csrf: session?.csrf ?? null,
});

/** @throws Refusal UNAUTHENTICATED, and RATE_LIMITED where too many wrong ones were shown. */
function knownOf(access: Access, token: string, request: FastifyRequest): KnownToken {
  try {
    return access.known(token);
  } catch (error) {
    request.countWrongToken();
    throw error;
  }
}

const login = defineRoute({
  ...{ method: 'POST', path: PATH, role: 'anybody', operationId: 'logIn', tag: 'Session' },
  summary: 'Begin a session with a token',
  description: 'The answer sets the cookie of the session. Requests by cookie that change something need `csrf`.',
  body: LoginSchema,
  answers: { 200: { text: 'The session, with its cookie.', schema: SessionViewSchema } },
  refusals: ['UNAUTHENTICATED', 'CROSS_ORIGIN'],
  handle: ({ body, request }, { access, clock }) => {
    // A page of another site may not log its visitor in as somebody else.
    refuseOtherSites(request.headers);
    const { cookie, session } = access.sessions.begin(knownOf(access, body.token, request));
    const maxAgeSeconds = Math.max(0, Math.floor((session.expiresAtWallMs - clock.wallMs()) / 1_000));
    const headers = { 'set-cookie': sessionCookie(cookie, maxAgeSeconds, access.settings.isSecure) };
    return { status: 200, body: viewOf(session.caller, session), headers };
  },
});

const current = defineRoute({
  ...{ method: 'GET', path: PATH, role: 'metrics', operationId: 'getSession', tag: 'Session' },
  summary: 'Who the caller is, and what a request by cookie has to show',
  answers: { 200: { text: 'As this coordinator knows the caller.', schema: SessionViewSchema } },
  handle: ({ caller, session }) => ok(viewOf(caller, session)),
});

const logout = defineRoute({
  ...{ method: 'DELETE', path: PATH, role: 'metrics', operationId: 'logOut', tag: 'Session' },
  summary: 'End the session in this browser',
  answers: { 204: { text: 'The cookie is taken away.' } },
  refusals: ['CSRF_MISSING', 'CROSS_ORIGIN'],
  handle: (_, { access }) => ({
    status: 204,
    body: undefined,
    headers: { 'set-cookie': sessionCookie('', 0, access.settings.isSecure) },
  }),
});

export const session: readonly AnyRoute[] = [login, current, logout];
