import { userInfo } from 'node:os';
import {
  type Clock,
  errorText,
  type MemberId,
  OperationError,
  parseMemberId,
  ProblemDetailsSchema,
  REQUEST_KINDS,
  type RequestKind,
} from '@understudy/shared';
import type { Command } from 'commander';
import * as z from 'zod';
import { coordinatorUrls } from './coordinator-urls.ts';
import { readToken } from './operator-token.ts';
import { collect, type ProgramContext } from './program-context.ts';
import { print, shownJson, shownOf } from './terminal.ts';

/** Long enough for the leader's one write to etcd, and for a follower to forward. In ms. */
const ASK_TIMEOUT_MS = 10_000;

interface OperatorOptions {
  readonly url?: string[];
  readonly tokenFile?: string;
  readonly json?: boolean;
  readonly why: string;
  readonly by?: string;
  readonly opId?: string;
  readonly leaveOpen?: boolean;
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
}

/**
 * Sends one request.
 * @throws COORDINATOR_UNAVAILABLE: no coordinator can have taken it, or asking again is harmless;
 * MEMBER_UNKNOWN; REQUEST_REFUSED.
 */
async function post(clock: Clock, url: string, { member, kind, body, token }: Asked): Promise<Accepted> {
  const limit = new AbortController();
  const timer = clock.setTimer(ASK_TIMEOUT_MS, () => limit.abort());
  let response: Response;
  let json: unknown;
  try {
    response = await fetch(new URL(`/v1/members/${member}/${kind}`, url), {
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

async function run(
  context: ProgramContext,
  kind: RequestKind,
  text: string,
  loss: string | null,
  options: OperatorOptions,
): Promise<void> {
  const { environment } = context;
  const { member } = parseMemberId(text);
  const token = readToken(options.tokenFile ?? environment.UNDERSTUDY_TOKEN_FILE);
  if (token === null)
    throw new OperationError(
      'CONFIG_INVALID',
      'commands need the operator token: --token-file FILE or $UNDERSTUDY_TOKEN_FILE',
    );
  const by = options.by ?? userInfo().username;
  const body = { by, why: options.why, opId: options.opId ?? null, loss, leaveOpen: options.leaveOpen === true };
  const answer = await ask(context.clock, coordinatorUrls(options.url, environment), { member, kind, body, token });
  print(options.json === true ? shownJson(answer, 2) : shownOf(answer, acceptedText));
}

const acceptedText = ({ request, repeated }: Accepted): string =>
  `${repeated ? 'already asked' : 'asked'}: ${request.kind} of ${request.member} (${request.opId}), by ${request.by}: ${request.why}\n` +
  `what came of it stands in \`understudy explain ${request.member}\` and in its history`;

const ABOUT: Readonly<Record<RequestKind, string>> = {
  retry: 'try a held recovery again at once, with all its tries',
  replan:
    'make the plan of an open recovery again, from the policy of now, under the same proven fence; nothing of the old plan stays launched',
  'accept-loss':
    'give something up for which a recovery is held: address:eipalloc-… or volume:vol-… (one that is gone)',
  abandon: 'end an open recovery without a replacement; the history says in what state everything was left',
  recover: 'begin a recovery of a member that we stopped, and whose recovery was abandoned or has no records left',
};

/**
 * `understudy retry|replan|accept-loss|abandon|recover`: the ways out of a hold (docs/ways-out.md).
 */
export function addOperatorCommands(program: Command, context: ProgramContext): void {
  for (const kind of REQUEST_KINDS) {
    const command = program.command(kind).description(ABOUT[kind]).argument('<member>', 'group/name');
    if (kind === 'accept-loss') command.argument('<loss>', 'address:eipalloc-… or volume:vol-…');
    if (kind === 'abandon')
      command.option('--leave-open', 'leave a launch attempt as it is and name it, instead of ending it first');
    command
      .requiredOption('--why <text>', 'the reason, for whoever reads the history')
      .option('--by <name>', 'who asks (default: the user who runs this)')
      .option('--op-id <id>', 'only if this is the recovery that is open')
      .option(
        '--url <url>',
        'a coordinator; may be repeated (default: $UNDERSTUDY_URL, then http://127.0.0.1:8080)',
        collect,
      )
      .option('--token-file <file>', "the operator's token (default: $UNDERSTUDY_TOKEN_FILE)")
      .option('--json', 'machine-readable output');
    if (kind === 'accept-loss')
      command.action((member: string, loss: string, options: OperatorOptions) =>
        run(context, kind, member, loss, options),
      );
    else command.action((member: string, options: OperatorOptions) => run(context, kind, member, null, options));
  }
}
