import { durationMs, isName, TOKEN_ROLES } from '@understudy/shared';
import * as z from 'zod';

const filePath = z.string().min(1);

/** Who holds a client certificate with this name has this role. */
const httpClient = z.strictObject({
  /**
   * `DNS:…`, `URI:…` or `email:…` as among its subject alternative names, or `CN=…` where it has
   * none of those.
   */
  subject: z.string().regex(/^(?:CN=|DNS:|URI:|email:)[^",]+$/, 'want CN=…, DNS:…, URI:… or email:…'),
  /** For people and records. */
  name: z.string().min(1).max(100),
  role: z.enum(TOKEN_ROLES),
  /** Groups it may command. Default all. */
  groups: z.array(z.string().refine(isName)).min(1).max(100).optional(),
});

const httpTls = z.strictObject({
  /** Certificate (with its chain) and key, PEM. Looked at every 5 s and on SIGHUP. */
  certFile: filePath,
  keyFile: filePath,
  /** Authority of the other coordinators' certificates, PEM. Default: what Node trusts. */
  caFile: filePath.optional(),
  /** Authority of client certificates, PEM. Without it none are asked for. */
  clientCaFile: filePath.optional(),
  clients: z.array(httpClient).max(200).default([]),
});

/** Section `http` of the configuration. `docs/api.md` is the operator's page for it. */
export const HttpConfigSchema = z.strictObject({
  /** Address the HTTP server is bound to. Default 127.0.0.1. */
  host: z.string().min(1).default('127.0.0.1'),
  /** TCP port, 0-65535; 0 = chosen by the kernel (tests). Default 8080. */
  port: z.number().int().min(0).max(65_535).default(8080),
  /**
   * How operators and the other coordinators reach this server. Default `http://host:port`, with
   * `tls` `https://host:port`.
   */
  publicUrl: z.url({ protocol: /^https?$/ }).optional(),
  /**
   * File with the tokens that may be shown, as hashes, with a role each; the same on every
   * coordinator. Looked at every 5 s and on SIGHUP; while it cannot be read or is wrong, what it
   * last said stands.
   */
  tokensFile: filePath.optional(),
  /**
   * File with one more token (32 characters or more, in clear), whose holder may do everything.
   * Older and simpler than `tokensFile`; both may be there.
   */
  operatorTokenFile: z.string().min(1).optional(),
  /**
   * What callers may do who show nothing. Default `none`: they are told health and readiness.
   * `metrics`: also the metrics. `read`: also all that is only read; bind it to a network you
   * trust then.
   */
  anonymous: z.enum(['none', 'metrics', 'read']).default('none'),
  /**
   * Folder with the built dashboard, served at `/`. Default: that of the checkout or the package;
   * without one `/` says that it is not built.
   */
  dashboardDir: filePath.optional(),
  /**
   * Folder with the agent's tarballs and their `SHA256SUMS`, handed out at `/artefacts/NAME` to
   * anybody. Absent: nothing is. The package `understudy-artefacts` brings
   * `/usr/lib/understudy/artefacts`.
   */
  artefactsDir: filePath.optional(),
  /** Absent: plain HTTP, in which tokens travel in clear. */
  tls: httpTls.optional(),
  /**
   * Connections at once, 8-10 000. More = more readers, more descriptors and memory in a stranger's
   * hands.
   */
  connections: z.number().int().min(8).max(10_000).default(256),
  /**
   * From one address at once, 1-10 000, below `connections`. Behind a proxy or NAT all readers
   * share one: raise it there.
   */
  connectionsPerAddress: z.number().int().min(1).max(10_000).default(64),
  /**
   * Requests of one caller (token, certificate, or address of those who show nothing) in a minute,
   * 10-1 000 000; half of them at once. Fewer = less that one caller can take from the others.
   */
  requestsPerMinute: z.number().int().min(10).max(1_000_000).default(1_200),
  /**
   * A connection that has not sent a whole header after this is closed, ms, 1 000-60 000; one that
   * waits for its next request too.
   */
  headersTimeoutMs: durationMs(5_000, 1_000, 60_000),
});
