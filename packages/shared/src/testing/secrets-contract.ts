import { strict as assert } from 'node:assert';
import { type ErrorCode, isOperationError } from '../errors.ts';
import type { ReadSecret } from '../ports/secrets.ts';
import { SECRET_STORES, type SecretStore } from '../secret-place.ts';

export type SecretsFault = 'throttle' | 'internal-error' | 'foreign-answer' | 'lost-reply';

/** What the suite needs of an environment that has the stores. */
export interface SecretsFixture {
  readonly read: ReadSecret;
  /** Puts a value into a store, under a name that the caller may read. */
  put(store: SecretStore, name: string, value: string, access?: 'all' | 'none' | 'no-decrypt'): void;
  /** The next read of the store. */
  fault(store: SecretStore, kind: SecretsFault): { firedCount(): number };
}

export interface SecretsCase {
  readonly name: string;
  run(fixture: SecretsFixture): Promise<void>;
}

const NAME = 'understudy/master';

async function refused(work: Promise<unknown>, code: ErrorCode): Promise<void> {
  try {
    await work;
  } catch (error) {
    assert.ok(isOperationError(error), `want an OperationError, got ${String(error)}`);
    assert.equal(error.code, code, error.message);
    assert.ok(!error.message.includes('hidden'), 'a message repeats what is there');
    return;
  }
  assert.fail(`want ${code}, but it succeeded`);
}

const FAULTS: readonly (readonly [SecretsFault, ErrorCode])[] = [
  ['throttle', 'CLOUD_THROTTLED'],
  ['internal-error', 'CLOUD_UNAVAILABLE'],
  ['foreign-answer', 'CLOUD_UNAVAILABLE'],
  ['lost-reply', 'CLOUD_UNAVAILABLE'],
];

/** What every store of secrets has to do, whichever implementation answers. */
export const SECRETS_CONTRACT: readonly SecretsCase[] = SECRET_STORES.flatMap((store): readonly SecretsCase[] => [
  {
    name: `${store}: the value is read as it is now, opened`,
    async run(f) {
      const read = () => f.read({ store, reference: NAME });
      f.put(store, NAME, ' größer\n');
      assert.equal(await read(), ' größer\n');
      f.put(store, NAME, 'changed');
      assert.equal(await read(), 'changed');
    },
  },
  {
    name: `${store}: a name that is not there, a right that is missing, and a key that may not be used`,
    async run(f) {
      await refused(f.read({ store, reference: 'understudy/none' }), 'CLOUD_NOT_FOUND');
      f.put(store, 'forbidden', 'hidden');
      await refused(f.read({ store, reference: 'forbidden' }), 'CLOUD_DENIED');
      f.put(store, NAME, 'hidden', 'no-decrypt');
      await refused(f.read({ store, reference: NAME }), 'CLOUD_DENIED');
    },
  },
  ...FAULTS.map(([kind, code]) => ({
    name: `${store}: ${kind}, and the next read has it`,
    async run(f: SecretsFixture) {
      f.put(store, NAME, 'hidden');
      const fault = f.fault(store, kind);
      await refused(f.read({ store, reference: NAME }), code);
      assert.equal(fault.firedCount(), 1, 'the fault did not happen');
      assert.equal(await f.read({ store, reference: NAME }), 'hidden');
    },
  })),
]);
