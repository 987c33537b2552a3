import {
  type CloudCallOptions,
  OperationError,
  type ReadSecret,
  rawOf,
  type SecretStore,
  textOf,
} from '@understudy/shared';
import { SECRETS_MANAGER_ACTIONS } from '../secretsmanager/actions.ts';
import { SSM_ACTIONS } from '../ssm/actions.ts';
import { sendOnce, type ServiceOptions } from '../transport/send-once.ts';

type Parts = Omit<ServiceOptions, 'transport' | 'limiter'>;
type Read = (reference: string, options?: CloudCallOptions) => Promise<string>;
type Transports = Readonly<Record<SecretStore, ServiceOptions['transport']>>;
/** What calls to each store wait at. */
type Limiters = Readonly<Record<SecretStore, ServiceOptions['limiter']>>;

const notTheirs = (action: string): OperationError =>
  new OperationError('CLOUD_UNAVAILABLE', `${action}: the answer has no value: it is not the store's answer`);

/** Every store. The current version of a value, opened. */
const STORES: Readonly<Record<SecretStore, (parts: ServiceOptions) => Read>> = {
  ssmParameter: (parts) => {
    const send = sendOnce(parts, SSM_ACTIONS);
    return async (Name, options) => {
      const value = textOf(
        rawOf((await send('GetParameter', { Name, WithDecryption: true }, options)).Parameter).Value,
      );
      if (value === null) throw notTheirs('GetParameter');
      return value;
    };
  },
  secretsManager: (parts) => {
    const send = sendOnce(parts, SECRETS_MANAGER_ACTIONS);
    return async (SecretId, options) => {
      const { SecretString, SecretBinary } = await send('GetSecretValue', { SecretId }, options);
      const value = textOf(SecretString);
      if (value !== null) return value;
      if (SecretBinary === undefined) throw notTheirs('GetSecretValue');
      throw new OperationError('CLOUD_REJECTED', 'GetSecretValue: the secret is binary, and a text is wanted');
    };
  },
};

/** {@link ReadSecret} over a transport of each store. */
export function secretsOver({
  transports,
  limiters,
  ...parts
}: Parts & { readonly transports: Transports; readonly limiters?: Limiters }): ReadSecret {
  const opened = (store: SecretStore): Read =>
    STORES[store]({ ...parts, transport: transports[store], limiter: limiters?.[store] });
  const readers: Readonly<Record<SecretStore, Read>> = {
    ssmParameter: opened('ssmParameter'),
    secretsManager: opened('secretsManager'),
  };
  return ({ store, reference }, options) => readers[store](reference, options);
}
