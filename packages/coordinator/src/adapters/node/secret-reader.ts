import {
  type Ec2Transport,
  sdkSecretsManagerTransport,
  sdkSsmTransport,
  secretsOver,
  type ServiceLimiters,
  serviceEndpointOf,
} from '@understudy/aws';
import type { Clock, Log, Random, ReadSecret } from '@understudy/shared';
import type { CoordinatorConfig } from '../../config.ts';
import { counted } from './counted-transport.ts';
import { StoredKeys, storedPlacesOf } from './stored-keys.ts';

export interface SecretReaderOptions {
  readonly config: Pick<CoordinatorConfig, 'aws'>;
  readonly region: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly clock: Clock;
  /** What calls wait at. Absent: at nothing, as those of a doctor. */
  readonly limiters?: Pick<ServiceLimiters, 'of'>;
  /** The same transport, with its calls counted. */
  readonly counting: (send: Ec2Transport) => Ec2Transport;
  /** What is to be done at the end. */
  readonly closers: (() => Promise<void> | void)[];
}

/** Reads Parameter Store and Secrets Manager with the role of this host. */
export function secretReader(options: SecretReaderOptions): ReadSecret {
  const { config, region, environment, clock, limiters, counting, closers } = options;
  const { callTimeoutMs, endpoint: ec2, ssmEndpoint, secretsManagerEndpoint } = config.aws;
  const opened = (open: typeof sdkSsmTransport, own: string | undefined, variable: string): Ec2Transport => {
    const endpoint = serviceEndpointOf({ ec2, own, variable, environment });
    const sdk = open({ region, callTimeoutMs, ...(endpoint === undefined ? {} : { endpoint }) });
    closers.push(() => sdk.close());
    return counting(sdk.send);
  };
  return secretsOver({
    ...{ clock, callTimeoutMs },
    limiters: { ssmParameter: limiters?.of('ssm'), secretsManager: limiters?.of('secretsmanager') },
    transports: {
      ssmParameter: opened(sdkSsmTransport, ssmEndpoint, 'AWS_ENDPOINT_URL_SSM'),
      secretsManager: opened(sdkSecretsManagerTransport, secretsManagerEndpoint, 'AWS_ENDPOINT_URL_SECRETS_MANAGER'),
    },
  });
}

export interface OpenedKeys {
  readonly stored: StoredKeys;
  /** Told of each call, once somebody counts them. */
  noteCall: Parameters<typeof counted>[2];
  readonly close: () => void;
}

/**
 * The keys that lie in a store, read before anything begins. A host without such keys opens no
 * client. @throws KEY_INVALID
 */
export async function openStoredKeys(options: {
  readonly config: CoordinatorConfig;
  readonly region: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly clock: Clock;
  readonly limiters: Pick<ServiceLimiters, 'of'>;
  readonly random: Random;
  readonly log: Log;
}): Promise<OpenedKeys> {
  const { config, clock, random, log } = options;
  const closers: (() => Promise<void> | void)[] = [];
  const opened = { noteCall: (): void => undefined } as { noteCall: OpenedKeys['noteCall'] };
  const counting = (send: Ec2Transport): Ec2Transport => counted(send, clock, (...call) => opened.noteCall(...call));
  let reader: ReadSecret | null = null;
  const read: ReadSecret = (place, how) => {
    reader ??= secretReader({ ...options, counting, closers });
    return reader(place, how);
  };
  const stored = new StoredKeys({ read, refetchEveryMs: config.loop.refetchKeysEveryMs, clock, random, log });
  const close = (): void => {
    for (const one of closers) void one();
  };
  try {
    await stored.first(storedPlacesOf(config.keys));
  } catch (error) {
    close();
    throw error;
  }
  return Object.assign(opened, { stored, close });
}
