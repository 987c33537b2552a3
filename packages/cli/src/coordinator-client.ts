import {
  errorText,
  type MemberView,
  MembersViewSchema,
  OperationError,
  RecoveriesViewSchema,
  type RecoveriesView,
  StatusViewSchema,
  type StatusView,
} from '@understudy/shared';
import type * as z from 'zod';

/** Reads one coordinator's HTTP API. Any coordinator answers; `status` names the leader. */
export interface CoordinatorClient {
  status(): Promise<StatusView>;
  members(): Promise<readonly MemberView[]>;
  recoveries(): Promise<RecoveriesView>;
}

/** HTTP reads are answered from memory: longer than this means the coordinator is not well. */
const READ_TIMEOUT_MS = 3_000;

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
