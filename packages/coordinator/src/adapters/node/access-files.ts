import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import {
  type Clock,
  errorText,
  type Log,
  OperationError,
  type Problem,
  problemOf,
  sharedName,
  sharedNameFault,
  type Timer,
  type TokenEntry,
  TokenFileSchema,
  tokenHash,
} from '@understudy/shared';
import { parseConfig } from '@understudy/shared/node';
import type { CoordinatorConfig } from '../../config.ts';

/** Time between looks at the files, in ms. */
const LOOK_EVERY_MS = 5_000;
/** Shorter tokens can be guessed over the network. */
const TOKEN_LENGTH_MIN = 32;

export interface AccessTokens {
  readonly entries: readonly TokenEntry[];
  readonly operatorTokenHash: Buffer | null;
}

export interface AccessCertificates {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly clientCa: Buffer | null;
  readonly peerCa: Buffer | null;
}

export interface AccessFilesOptions {
  readonly http: CoordinatorConfig['http'];
  readonly clock: Clock;
  readonly log: Log;
}

/** A part of what the files say, and why its newest state is not in use. */
interface Part<T> {
  current: T;
  /** Contents when last looked at: nothing is done while they stay the same. */
  text: string;
  trouble: string | null;
}

/**
 * The files that say who may use the HTTP API: tokens and certificates. They are looked at again
 * and again. A state that cannot be used changes nothing: what was good before stays in use, and a
 * problem says why.
 */
export class AccessFiles {
  /** Called with certificates that have changed. */
  onCertificates: (certificates: AccessCertificates) => void = () => undefined;
  readonly #options: AccessFilesOptions;
  readonly #tokens: Part<AccessTokens>;
  readonly #certificates: Part<AccessCertificates | null>;
  #timer: Timer | null = null;
  #isClosed = false;

  /**
   * A `tokensFile` that cannot be used does not keep the coordinator from its work: it starts with
   * no tokens, and says so.
   * @throws CONFIG_INVALID: the operator token or a certificate cannot be used.
   */
  constructor(options: AccessFilesOptions) {
    this.#options = options;
    const operatorTokenHash = operatorHashOf(options.http.operatorTokenFile);
    this.#tokens = { current: { entries: [], operatorTokenHash }, text: '', trouble: null };
    this.#certificates = { current: certificatesOf(options.http.tls), text: '', trouble: null };
    this.look();
  }

  get tokens(): AccessTokens {
    return this.#tokens.current;
  }

  get certificates(): AccessCertificates | null {
    return this.#certificates.current;
  }

  get problems(): readonly Problem[] {
    const { trouble: tokens } = this.#tokens;
    const { trouble: certificates } = this.#certificates;
    return [
      ...(tokens === null ? [] : [problemOf('TOKENS_REFUSED', tokens)]),
      ...(certificates === null ? [] : [problemOf('CERTIFICATES_REFUSED', certificates)]),
    ];
  }

  start(): void {
    if (this.#isClosed) return;
    this.#timer = this.#options.clock.setTimer(LOOK_EVERY_MS, () => {
      this.look();
      this.start();
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
  }

  /** Looks now. Never throws. */
  look(): void {
    this.#lookAtTokens();
    this.#lookAtCertificates();
  }

  #lookAtTokens(): void {
    const { http, log } = this.#options;
    const read = () => {
      const current = {
        entries: entriesOf(http),
        operatorTokenHash: operatorHashOf(http.operatorTokenFile),
      };
      log.info('http.tokens', { tokens: current.entries.map(({ id, name, role }) => `${id} ${role} ${name}`) });
      return current;
    };
    const error = renew(this.#tokens, [http.tokensFile, http.operatorTokenFile], read);
    if (error !== null) log.error('http.tokens_refused', { error, remedy: 'correct the file (docs/api.md)' });
  }

  #lookAtCertificates(): void {
    const { log, http } = this.#options;
    const { tls } = http;
    if (tls === undefined) return;
    const read = () => {
      const current = certificatesOf(tls);
      log.info('http.certificates', { certFile: tls.certFile });
      if (current !== null) this.onCertificates(current);
      return current;
    };
    const error = renew(this.#certificates, [tls.certFile, tls.keyFile, tls.caFile, tls.clientCaFile], read);
    if (error !== null) log.error('http.certificates_refused', { error, remedy: 'correct the file (docs/api.md)' });
  }
}

/**
 * Takes over what the files say when they have changed. What cannot be used changes nothing, and is
 * returned as a text, once.
 */
function renew<T>(part: Part<T>, files: readonly (string | undefined)[], read: () => T): string | null {
  const text = files.map(contentsOf).join('\0');
  if (text === part.text) return null;
  part.text = text;
  part.trouble = null;
  try {
    part.current = read();
  } catch (error) {
    part.trouble = errorText(error);
  }
  return part.trouble;
}

/** What tells one state of a file from another, also one in which it cannot be read. */
function contentsOf(file: string | undefined): string {
  if (file === undefined) return '';
  try {
    return `+${readFileSync(file, 'utf8')}`;
  } catch (error) {
    return `-${errorText(error)}`;
  }
}

function read(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new OperationError('CONFIG_INVALID', `cannot read ${file}: ${errorText(cause)}`, { cause });
  }
}

function entriesOf({ tokensFile: file, tls }: CoordinatorConfig['http']): readonly TokenEntry[] {
  if (file === undefined) return [];
  const { tokens } = parseConfig(TokenFileSchema, read(file).toString('utf8'), file);
  const shared = sharedName([...(tls?.clients ?? []), ...tokens]);
  if (shared === null) return tokens;
  throw new OperationError('CONFIG_INVALID', `${file} and http.tls.clients: ${sharedNameFault(shared)}`);
}

function operatorHashOf(file: string | undefined): Buffer | null {
  if (file === undefined) return null;
  const token = read(file).toString('utf8').trim();
  if (token.length >= TOKEN_LENGTH_MIN && /^[\x21-\x7e]+$/.test(token)) return tokenHash(token);
  const want = `want at least ${TOKEN_LENGTH_MIN} printable characters without blanks, e.g. of \`openssl rand -hex 32\``;
  throw new OperationError('CONFIG_INVALID', `http.operatorTokenFile ${file}: ${want}`);
}

function certificatesOf(tls: CoordinatorConfig['http']['tls']): AccessCertificates | null {
  if (tls === undefined) return null;
  const optional = (file: string | undefined) => (file === undefined ? null : read(file));
  const [cert, key, clientCa, peerCa] = [
    ...([read(tls.certFile), read(tls.keyFile)] as const),
    ...([optional(tls.clientCaFile), optional(tls.caFile)] as const),
  ];
  try {
    createSecureContext({ cert, key, ...(clientCa === null ? {} : { ca: clientCa }) });
  } catch (cause) {
    const text = `http.tls: ${tls.certFile} and ${tls.keyFile} cannot be used: ${errorText(cause)}`;
    throw new OperationError('CONFIG_INVALID', text, { cause });
  }
  return { cert, key, clientCa, peerCa };
}
