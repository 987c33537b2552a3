import { Ec2Error } from './ec2-error.ts';

export const DEFAULT_TOKENS_KEPT = 50_000;
const VALID = /^[\x21-\x7e]{1,64}$/;

/** JSON with sorted keys and without undefined members: equal requests give equal text. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (value && typeof value === 'object') {
    const entries = Object.entries(value).filter(([, member]) => member !== undefined);
    entries.sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([key, member]) => `${JSON.stringify(key)}:${canonical(member)}`).join(',')}}`;
  }
  return JSON.stringify(value) ?? 'null';
}

/**
 * The newest ClientTokens seen. A forgotten token acts like a new one, as AWS documents no
 * lifetime. Source: EC2 developer guide, "Ensuring idempotency".
 */
export class TokenTable {
  readonly #entries = new Map<string, { readonly parameters: string; readonly resourceIds: readonly string[] }>();
  readonly #kept: number;

  constructor(kept: number = DEFAULT_TOKENS_KEPT) {
    this.#kept = kept;
  }

  /**
   * The resources an earlier call with this token made in this scope, or undefined.
   * @throws InvalidClientToken, IdempotentParameterMismatch
   */
  recall(scope: string, token: string, parameters: object): readonly string[] | undefined {
    if (!VALID.test(token)) throw new Ec2Error('InvalidClientToken', `Invalid client token: ${JSON.stringify(token)}`);
    const entry = this.#entries.get(`${scope}|${token}`);
    if (!entry) return undefined;
    if (entry.parameters !== canonical(parameters)) {
      throw new Ec2Error(
        'IdempotentParameterMismatch',
        'Arguments on this idempotent request are inconsistent with arguments used in previous request(s).',
      );
    }
    return entry.resourceIds;
  }

  /** Call it only after the resources exist: a request that failed leaves no trace. */
  record(scope: string, token: string, parameters: object, resourceIds: readonly string[]): void {
    this.#entries.set(`${scope}|${token}`, { parameters: canonical(parameters), resourceIds });
    const oldest = this.#entries.size > this.#kept ? this.#entries.keys().next().value : undefined;
    if (oldest !== undefined) this.#entries.delete(oldest);
  }
}
