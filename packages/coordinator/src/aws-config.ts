import { durationMs } from '@understudy/shared';
import * as z from 'zod';

const rates = z.strictObject({
  /**
   * Our share of what EC2 allows per account and Region, of each action. Default 0.6, 0.05 to 1.
   * More = faster when many members fail at once, and less for everybody else in the account.
   */
  share: z.number().min(0.05).max(1).default(0.6),
  /**
   * Limits that AWS has raised for this account, by action, as Service Quotas shows them ("request
   * bucket maximum capacity" and "refill rate"). Default none: the documented ones.
   */
  raised: z
    .record(
      z.string(),
      z.strictObject({
        /** Calls at once, 1 to 100 000. */
        burst: z.number().min(1).max(100_000),
        /** Calls per second, 0.01 to 10 000. */
        refillPerSecond: z.number().min(0.01).max(10_000),
      }),
    )
    .default({}),
});

/** Section `aws` of the coordinator's configuration. */
export const AwsConfigSchema = z.strictObject({
  /** Default: environment `AWS_REGION`. */
  region: z.string().min(1).optional(),
  /** EC2 endpoint. Default: `AWS_ENDPOINT_URL_EC2`, else the Region's own. */
  endpoint: z.url({ protocol: /^https?$/ }).optional(),
  /**
   * KMS endpoint. Default: `AWS_ENDPOINT_URL_KMS`, else what stands in EC2's place (`endpoint`,
   * where that is no address of AWS), else the Region's own.
   */
  kmsEndpoint: z.url({ protocol: /^https?$/ }).optional(),
  /**
   * Route 53 endpoint. Default: `AWS_ENDPOINT_URL_ROUTE_53`, else what stands in EC2's place, else
   * the partition's own.
   */
  route53Endpoint: z.url({ protocol: /^https?$/ }).optional(),
  /**
   * Elastic Load Balancing endpoint. Default: `AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2`, else
   * what stands in EC2's place, else the Region's own.
   */
  elbv2Endpoint: z.url({ protocol: /^https?$/ }).optional(),
  /**
   * Systems Manager endpoint, for hooks on instances and keys in Parameter Store. Default:
   * `AWS_ENDPOINT_URL_SSM`, else what stands in EC2's place, else the Region's own.
   */
  ssmEndpoint: z.url({ protocol: /^https?$/ }).optional(),
  /**
   * Secrets Manager endpoint, for keys there. Default: `AWS_ENDPOINT_URL_SECRETS_MANAGER`, else
   * what stands in EC2's place, else the Region's own.
   */
  secretsManagerEndpoint: z.url({ protocol: /^https?$/ }).optional(),
  /**
   * Whether `explain` asks Systems Manager when it has last heard a member's agent, while somebody
   * looks. Default false. For people: it lags by minutes, and nothing is decided by it.
   */
  tellAgentPings: z.boolean().default(false),
  /**
   * Whether KMS is asked about the keys of encrypted volumes. Default true. false where KMS cannot
   * be reached and nobody wants to be told so: a key that is disabled is then found only when a
   * launch fails.
   */
  checkKeys: z.boolean().default(true),
  /**
   * What plans and readiness ask EC2 about without doing it (`DryRun`). `all`: every call.
   * `harmless`: only what would do no harm if it were done after all. Default `auto`: `all` at AWS
   * itself, `harmless` where another service stands in EC2's place: it may not know `DryRun`.
   */
  dryRuns: z.enum(['auto', 'all', 'harmless']).default('auto'),
  /**
   * Deadline of one EC2 call, ms. Default 5 000, 500 to 30 000. Shorter turns slow calls into
   * unknown outcomes, longer needs a longer lease.
   */
  callTimeoutMs: durationMs(5_000, 500, 30_000),
  /** How much of EC2's rate limits is used (`docs/rates.md`). */
  rates: rates.prefault({}),
});
