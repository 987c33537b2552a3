import { type Cloud, OperationError } from '@understudy/shared';
import { awsRegionOf } from '@understudy/shared/node';
import type { ProgramContext } from '../program-context.ts';
import { costOfRun, type AccountRun } from './ask-account.ts';
import { hourPriceOf } from './cost.ts';
import type { Question } from './question.ts';
import { QUESTIONS } from './questions.ts';

export interface AccountOptions {
  readonly json?: boolean;
  readonly awsRegion?: string;
  readonly endpoint?: string;
  readonly image?: string;
  readonly subnet?: string;
  readonly otherSubnet?: string;
  readonly address?: string;
  readonly instanceType: string;
  readonly hourPrice?: number;
  readonly budget: number;
  readonly patience: number;
  readonly only?: readonly string[];
  readonly run?: boolean;
  readonly yes?: boolean;
  readonly reason?: string;
  readonly report?: string;
  readonly remove?: string;
}

const invalid = (text: string) => new OperationError('CONFIG_INVALID', text);

const CALL_TIMEOUT_MS = 30_000;

/** @throws OperationError `CONFIG_INVALID` without a Region */
export function regionOf({ awsRegion }: AccountOptions, environment: NodeJS.ProcessEnv): string {
  const found = awsRegionOf(awsRegion, environment);
  if (found === '') throw invalid('no Region: add --aws-region, or set AWS_REGION');
  return found;
}

/** EC2 with the caller's own credentials, each call once. */
export async function accountCloud(options: AccountOptions, context: ProgramContext): Promise<Cloud> {
  const { createEc2Cloud, sdkTransport } = await import('@understudy/aws');
  const { clock, random, environment } = context;
  const endpoint = options.endpoint === undefined ? {} : { endpoint: options.endpoint };
  const region = regionOf(options, environment);
  const { send } = sdkTransport({ region, callTimeoutMs: CALL_TIMEOUT_MS, ...endpoint });
  return createEc2Cloud({ transport: send, clock, random, callTimeoutMs: CALL_TIMEOUT_MS });
}

/** @throws OperationError `CONFIG_INVALID` for a name that no question has */
export function chosenQuestions(only: readonly string[] | undefined): readonly Question[] {
  const unknown = only?.find((name) => !QUESTIONS.some(({ id }) => id === name));
  if (unknown !== undefined)
    throw invalid(`no question is called "${unknown}": ${QUESTIONS.map(({ id }) => id).join(', ')}`);
  return only === undefined ? QUESTIONS : QUESTIONS.filter(({ id }) => only.includes(id));
}

function priceOf({ instanceType, hourPrice }: AccountOptions): number {
  const price = hourPrice ?? hourPriceOf(instanceType);
  if (price === null) throw invalid(`what an hour of ${instanceType} costs is not known here: add --hour-price USD`);
  return price;
}

/**
 * What is asked and with what.
 * @throws OperationError `CONFIG_INVALID` for what is missing or too dear
 */
export function accountRunOf(
  options: AccountOptions,
  context: ProgramContext,
  cloud: Cloud,
  say: AccountRun['say'],
): AccountRun {
  const { image: imageId, subnet: subnetId, instanceType, otherSubnet, address, patience } = options;
  if (imageId === undefined || subnetId === undefined) throw invalid('--image and --subnet are needed');
  const given = { imageId, subnetId, instanceType, patienceMs: patience };
  const run: AccountRun = {
    ...{ cloud, clock: context.clock, random: context.random, say, runId: context.random.hex(6), reason: null },
    ...{ region: regionOf(options, context.environment), questions: chosenQuestions(options.only) },
    given: { ...given, otherSubnetId: otherSubnet ?? null, allocationId: address ?? null },
    instanceHourUsd: priceOf(options),
  };
  const costUsd = costOfRun(run);
  if (costUsd <= options.budget) return run;
  throw invalid(`it costs about ${costUsd.toFixed(2)} USD, more than --budget ${options.budget}: ask less with --only`);
}
