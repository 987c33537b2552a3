import { userInfo } from 'node:os';
import {
  type Clock,
  errorText,
  type MemberId,
  OperationError,
  parseMemberId,
  ProblemDetailsSchema,
  type RequestKind,
} from '@understudy/shared';
import type { Command } from 'commander';
import * as z from 'zod';
import type { CommandDefinition } from '../command-definition.ts';
import { fetchWith } from '../client/fetch-with.ts';
import { consentTo } from '../consent.ts';
import { clusterOf } from '../options/client-options.ts';
import type { MutationOptions } from '../options/mutation-options.ts';
import type { ProgramContext } from '../program-context.ts';
import { print, shownJson, shownOf } from '../terminal.ts';

/** Long enough for the leader's one write to etcd, and for a follower to forward. In ms. */
const ASK_TIMEOUT_MS = 10_000;

export interface OperatorOptions extends MutationOptions {
  readonly by?: string;
  readonly opId?: string;
  readonly leaveOpen?: boolean;
  /** `recover` */
  readonly override?: readonly string[];
  readonly plan?: string;
  readonly strategy?: string;
  /** `undo`, ms */
  readonly acceptLoss?: number;
  readonly dryRun?: boolean;
  /** `undo --dry-run` */
  readonly calls?: boolean;
}

const AcceptedSchema = z.object({
  request: z.object({ member: z.string(), kind: z.string(), opId: z.string(), by: z.string(), why: z.string() }),
  repeated: z.boolean(),
});
type Accepted = z.infer<typeof AcceptedSchema>;

interface Asked {
  readonly member: MemberId;
  readonly kind: RequestKind;
  readonly body: object;
  readonly token: string;
  readonly fetch: typeof fetch;
}

/**
 * Sends one request.
 * @throws COORDINATOR_UNAVAILABLE: no coordinator can have taken it, or asking again is harmless;
 * MEMBER_UNKNOWN; REQUEST_REFUSED.
 */
async function post(clock: Clock, url: string, { member, kind, body, token, fetch: send }: Asked): Promise<Accepted> {
  const limit = new AbortController();
  const timer = clock.setTimer(ASK_TIMEOUT_MS, () => limit.abort());
  let response: Response;
  let json: unknown;
  try {
    response = await send(new URL(`/v1/members/${member}/${kind}`, url), {
      method: 'POST',
      signal: limit.signal,
      headers: { accept: 'application/json', 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify(body),
      redirect: 'error',
    });
    json = await response.json();
  } catch (cause) {
    throw new OperationError('COORDINATOR_UNAVAILABLE', `no coordinator answers at ${url} (${errorText(cause)})`, {
      cause,
    });
  } finally {
    timer.cancel();
  }
  const accepted = AcceptedSchema.safeParse(json);
  if (response.ok && accepted.success) return accepted.data;
  const refused = ProblemDetailsSchema.safeParse(json);
  const text = refused.success ? refused.data.detail : `${url} answered ${response.status}`;
  if (response.status === 503 || response.status >= 500) throw new OperationError('COORDINATOR_UNAVAILABLE', text);
  throw new OperationError(response.status === 404 ? 'MEMBER_UNKNOWN' : 'REQUEST_REFUSED', text);
}

/**
 * Asks the coordinators in turn until one answers; each passes the request on to the leader. Asking
 * twice is harmless.
 */
async function ask(clock: Clock, urls: readonly string[], asked: Asked): Promise<Accepted> {
  let last: unknown;
  for (const url of urls) {
    try {
      return await post(clock, url, asked);
    } catch (error) {
      if (!(error instanceof OperationError) || error.code !== 'COORDINATOR_UNAVAILABLE') throw error;
      last = error;
    }
  }
  throw last;
}

interface Wanted {
  readonly member: MemberId;
  readonly kind: RequestKind;
  readonly loss: string | null;
}

const proposalText = (about: string, { member, kind, loss }: Wanted): string =>
  `${kind} ${member}${loss === null ? '' : ` ${loss}`}: ${about}`;

async function run(
  context: ProgramContext,
  { kind, about }: { readonly kind: RequestKind; readonly about: string },
  text: string,
  loss: string | null,
  options: OperatorOptions,
): Promise<void> {
  const { member } = parseMemberId(text);
  const { urls, token, tls } = clusterOf(options, context.environment);
  if (token === null)
    throw new OperationError(
      'CONFIG_INVALID',
      'commands need the operator token: --token-file FILE or $UNDERSTUDY_TOKEN_FILE',
    );
  const why = await consentTo({ text: proposalText(about, { member, kind, loss }) }, options);
  const by = options.by ?? userInfo().username;
  const body = { by, why, opId: options.opId ?? null, loss, leaveOpen: options.leaveOpen === true, ...seenOf(options) };
  const answer = await ask(context.clock, urls, { ...{ member, kind, body, token }, fetch: fetchWith(tls) });
  print(options.json === true ? shownJson(answer, 2) : shownOf(answer, acceptedText));
}

/**
 * What only `recover` may say (gates that do not stop it, the plan that was shown, the way), and
 * only `undo` (what may be lost).
 */
const seenOf = ({ override, plan, strategy, acceptLoss }: OperatorOptions) => ({
  ...(acceptLoss === undefined ? {} : { acceptLossMs: acceptLoss }),
  ...(override === undefined ? {} : { overrides: override }),
  ...(plan === undefined ? {} : { planToken: plan }),
  ...(strategy === undefined ? {} : { strategy }),
});

const acceptedText = ({ request, repeated }: Accepted): string =>
  `${repeated ? 'already asked' : 'asked'}: ${request.kind} of ${request.member} (${request.opId}), by ${request.by}: ${request.why}\n` +
  `what came of it stands in \`understudy explain ${request.member}\` and in its history`;

/** What one of the ways out of a hold (docs/ways-out.md) says of itself. */
export type WayOut = Pick<CommandDefinition, 'summary' | 'examples'> & {
  /** Adds arguments beyond the member, and options. */
  readonly more?: (command: Command) => void;
  /** Only looks, where the options ask for no more. Null: they do. */
  readonly look?: (context: ProgramContext, member: MemberId, options: OperatorOptions) => Promise<void> | null;
};

/** `understudy retry|replan|accept-loss|abandon|recover|undo`. */
export const operatorCommand = (kind: RequestKind, { summary, examples, more, look }: WayOut): CommandDefinition => ({
  ...{ name: kind, kind: 'mutation', summary, examples },
  define: (command, context) => {
    command.argument('<member>', 'group/name');
    more?.(command);
    command
      .option('--by <name>', 'who asks (default: the user who runs this)')
      .option('--op-id <id>', 'only if this is the recovery that is open')
      .action((member: string, ...rest: readonly unknown[]) => {
        const looked = look?.(context, parseMemberId(member).member, command.opts<OperatorOptions>());
        if (looked) return looked;
        const loss = typeof rest[0] === 'string' ? rest[0] : null;
        return run(context, { kind, about: summary }, member, loss, command.opts<OperatorOptions>());
      });
  },
});
