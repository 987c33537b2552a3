import {
  errorText,
  type ExplainView,
  ExplainViewSchema,
  type KeysView,
  KeysViewSchema,
  LeftoversViewSchema,
  type LeftoverView,
  type MemberId,
  type MemberView,
  MembersViewSchema,
  OperationError,
  RecoveriesViewSchema,
  type RecoveriesView,
  StatusViewSchema,
  type StatusView,
} from '@understudy/shared';
import * as z from 'zod';

/** Reads one coordinator's HTTP API. Any coordinator answers; `status` names the leader. */
export interface CoordinatorClient {
  status(): Promise<StatusView>;
  members(): Promise<readonly MemberView[]>;
  recoveries(): Promise<RecoveriesView>;
  leftovers(): Promise<readonly LeftoverView[]>;
  /** Of the coordinator that answers only. */
  keys(): Promise<KeysView>;
  /** @throws MEMBER_UNKNOWN when the coordinator that answers knows no such member. */
  explain(member: MemberId): Promise<ExplainView>;
}

/** HTTP reads are answered from memory: longer than this means the coordinator is not well. */
const READ_TIMEOUT_MS = 3_000;

const RefusalSchema = z.object({ error: z.object({ text: z.string() }) });

async function read<T>(schema: z.ZodType<T>, url: string): Promise<T> {
  let response: Response;
  try {
    response = await fetch(url, {
      signal: AbortSignal.timeout(READ_TIMEOUT_MS),
      headers: { accept: 'application/json' },
    });
  } catch (cause) {
    throw new OperationError(
      'COORDINATOR_UNAVAILABLE',
      `no coordinator answers at ${url} (${errorText(cause)}); name another with --url`,
      { cause },
    );
  }
  if (response.status === 404) throw new OperationError('MEMBER_UNKNOWN', await refusalText(response, url));
  if (!response.ok)
    throw new OperationError('COORDINATOR_UNAVAILABLE', `${url} answered ${response.status} ${response.statusText}`);
  const parsed = schema.safeParse(await response.json());
  if (parsed.success) return parsed.data;
  throw new OperationError(
    'RECORD_UNREADABLE',
    `${url} answered something this version does not understand: ${parsed.error.issues[0]?.message ?? ''}`,
    {
      cause: parsed.error,
    },
  );
}

/** What the coordinator says was wrong with the path; only a member can be. */
async function refusalText(response: Response, url: string): Promise<string> {
  const said = RefusalSchema.safeParse(await response.json().catch(() => null));
  return said.success ? said.data.error.text : `${url} answered 404`;
}

/**
 * A client that asks the given coordinators in turn until one answers.
 * @throws COORDINATOR_UNAVAILABLE when none does (the last one's error).
 */
export function coordinatorClient(urls: readonly string[]): CoordinatorClient {
  const ask = async <T>(schema: z.ZodType<T>, path: string): Promise<T> => {
    let last: unknown;
    for (const url of urls) {
      try {
        return await read(schema, new URL(path, url).href);
      } catch (error) {
        last = error;
      }
    }
    throw last;
  };
  return {
    status: () => ask(StatusViewSchema, '/v1/status'),
    members: async () => (await ask(MembersViewSchema, '/v1/members')).members,
    recoveries: () => ask(RecoveriesViewSchema, '/v1/recoveries'),
    leftovers: async () => (await ask(LeftoversViewSchema, '/v1/leftovers')).leftovers,
    keys: () => ask(KeysViewSchema, '/v1/keys'),
    explain: (member) => ask(ExplainViewSchema, `/v1/members/${member}/explain`),
  };
}

/** `--url` may be given several times or hold a comma-separated list; without it `UNDERSTUDY_URL`, then the default port here. */
export function coordinatorUrls(
  given: readonly string[] | undefined,
  environment: NodeJS.ProcessEnv,
): readonly string[] {
  const text = given && given.length > 0 ? given.join(',') : (environment.UNDERSTUDY_URL ?? 'http://127.0.0.1:8080');
  return text.split(',').map((url) => {
    const trimmed = url.trim();
    if (!URL.canParse(trimmed))
      throw new OperationError('CONFIG_INVALID', `"${trimmed}" is no URL: want http://host:port`);
    return trimmed;
  });
}
