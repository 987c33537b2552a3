import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { AWS_JSON_1_1 } from '../answers/json-answer.ts';
import type { SdkTransport, SdkTransportOptions } from '../sdk/client-config.ts';
import { sendOnceConfig, sendOnceTransport } from '../sdk/send-once-transport.ts';
import type { SecretsManagerAction } from './actions.ts';

const COMMANDS = {
  GetSecretValue: GetSecretValueCommand,
} satisfies Readonly<Record<SecretsManagerAction, unknown>>;

/** Whoever reads a secret tries again by himself. */
export function sdkSecretsManagerTransport(options: SdkTransportOptions): SdkTransport {
  const client = new SecretsManagerClient(sendOnceConfig(options));
  return sendOnceTransport({ name: 'Secrets Manager', commands: COMMANDS, form: AWS_JSON_1_1, client });
}
