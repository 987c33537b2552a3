/** Which of the two stores of secrets a value lies in. */
export type SecretStoreName = 'ssm' | 'secretsmanager';

export interface SimSecret {
  readonly value: string;
  /** 1 for the first value under this name, and one more for each that replaced it. */
  readonly version: number;
  readonly changedAtWallMs: number;
  /** What the caller's rights allow: `no-decrypt` may read the secret and not use its KMS key. */
  readonly access: 'all' | 'none' | 'no-decrypt';
}

/**
 * The values of Parameter Store and Secrets Manager that an operator of the simulator has put in.
 */
export class SecretValues {
  readonly #values = new Map<string, SimSecret>();

  get(store: SecretStoreName, name: string): SimSecret | undefined {
    return this.#values.get(`${store}:${name}`);
  }

  put(store: SecretStoreName, name: string, value: string, wallMs: number, access: SimSecret['access'] = 'all'): void {
    const version = (this.get(store, name)?.version ?? 0) + 1;
    this.#values.set(`${store}:${name}`, { value, version, changedAtWallMs: wallMs, access });
  }

  remove(store: SecretStoreName, name: string): boolean {
    return this.#values.delete(`${store}:${name}`);
  }
}
