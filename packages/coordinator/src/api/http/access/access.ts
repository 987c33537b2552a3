import type { IncomingHttpHeaders } from 'node:http';
import type { Clock, Random } from '@understudy/shared';
import type { FastifyRequest } from 'fastify';
import type { ClusterKeys } from '../cluster-keys.ts';
import { type AdmittedPeer, PeerGate } from '../peers/peer-gate.ts';
import { PEER_HEADER, PEER_SIGNATURE_HEADER } from '../peers/peer-signature.ts';
import { Refusal } from '../refusal.ts';
import { type Caller, nobody, type Role, unauthenticated } from './caller.ts';
import { certificateHolder, type CertificateRole } from './certificates.ts';
import { sessionCookieIn } from './cookie.ts';
import { refuseOtherSites } from './origin.ts';
import { isCsrf, type Session, Sessions } from './sessions.ts';
import { isExpired, type KnownToken, TokenBook, type Tokens } from './token-book.ts';

/** What callers may do who show nothing. `read` includes `metrics`. */
export type Anonymous = 'none' | 'metrics' | 'read';

export interface AccessSettings {
  readonly anonymous: Anonymous;
  readonly clients: readonly CertificateRole[];
  /** Browsers reach us over TLS, by ourselves or by what stands before us. */
  readonly isSecure: boolean;
}

export interface AccessOptions {
  readonly coordinatorId: string;
  readonly settings: AccessSettings;
  /** As they are now. Another object when they have changed. */
  readonly tokens: () => Tokens;
  readonly keys: ClusterKeys;
  readonly clock: Clock;
  readonly random: Random;
}

/** Who asks, and by what. */
export interface Identified {
  readonly caller: Caller;
  readonly session: Session | null;
  /** Set where another coordinator passed the request on. */
  readonly peer: AdmittedPeer | null;
}

const ANONYMOUS_ROLE: Readonly<Record<Anonymous, Role>> = { none: 'anybody', metrics: 'metrics', read: 'read' };
const CHANGES_NOTHING: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/** The header that shows that a page of ours sends a request. */
export const CSRF_HEADER = 'understudy-csrf';

/** One value of a header. */
export const headerOf = (headers: IncomingHttpHeaders, name: string): string => {
  const value = headers[name];
  return Array.isArray(value) ? value.join(',') : (value ?? '');
};

/**
 * Tells who asks: another coordinator, a token, a session, a certificate, or nobody, in this order.
 * What is shown must be good: a wrong token is refused, even where nobody would have been let in.
 */
export class Access {
  readonly sessions: Sessions;
  readonly #options: AccessOptions;
  readonly #peers: PeerGate;
  #tokens: Tokens;
  #book: TokenBook;

  constructor(options: AccessOptions) {
    this.#options = options;
    this.#peers = new PeerGate(options);
    this.#tokens = options.tokens();
    this.#book = new TokenBook(this.#tokens);
    this.sessions = new Sessions({ ...options, tokens: () => this.#tokenBook() });
  }

  get settings(): AccessSettings {
    return this.#options.settings;
  }

  /** False: there is no way to be an operator here. */
  get hasOperators(): boolean {
    return this.#tokenBook().hasOperators || this.settings.clients.some(({ role }) => role === 'operate');
  }

  /** @throws Refusal UNAUTHENTICATED, PEER_REFUSED, CROSS_ORIGIN or CSRF_MISSING */
  identify(request: FastifyRequest): Identified {
    const { headers } = request;
    if (headers[PEER_HEADER] !== undefined) return this.#passedOn(request);
    if (headers.authorization !== undefined) {
      const shown = /^Bearer +(\S+) *$/i.exec(headers.authorization)?.[1];
      return { caller: this.known(shown ?? '').caller, session: null, peer: null };
    }
    return this.#ofSession(request) ?? this.#ofConnection(request);
  }

  /** @throws Refusal UNAUTHENTICATED: it is no token of ours, or it has expired. */
  known(token: string): KnownToken {
    const known = this.#tokenBook().find(token);
    if (known === null) throw unauthenticated('this is no token of this cluster');
    if (isExpired(known, this.#options.clock.wallMs())) throw unauthenticated('this token has expired');
    return known;
  }

  #passedOn({ headers, method, url }: FastifyRequest): Identified {
    const [envelope, signature] = [headerOf(headers, PEER_HEADER), headerOf(headers, PEER_SIGNATURE_HEADER)];
    const [ifMatch, idempotencyKey] = [headerOf(headers, 'if-match'), headerOf(headers, 'idempotency-key')];
    const peer = this.#peers.admit(envelope, signature, { method, path: url, ifMatch, idempotencyKey });
    return { caller: peer.caller, session: null, peer };
  }

  /** Null: it shows no session. A session that has ended is shown in vain, as if it were none. */
  #ofSession({ headers, method }: FastifyRequest): Identified | null {
    const cookie = sessionCookieIn(headers.cookie, this.settings.isSecure);
    const session = cookie === null ? null : this.sessions.resume(cookie);
    if (session === null) return null;
    refuseOtherSites(headers);
    if (!CHANGES_NOTHING.has(method) && !isCsrf(headerOf(headers, CSRF_HEADER), session))
      throw new Refusal('CSRF_MISSING', `a change by session cookie needs the header ${CSRF_HEADER} of this session`);
    return { caller: session.caller, session, peer: null };
  }

  #ofConnection({ raw }: FastifyRequest): Identified {
    const { anonymous, clients } = this.settings;
    const caller = certificateHolder(raw, clients) ?? nobody(ANONYMOUS_ROLE[anonymous]);
    return { caller, session: null, peer: null };
  }

  #tokenBook(): TokenBook {
    const tokens = this.#options.tokens();
    if (tokens !== this.#tokens) {
      this.#tokens = tokens;
      this.#book = new TokenBook(tokens);
    }
    return this.#book;
  }
}
