import { errorText, parseMemberId } from '@understudy/shared';
import { SystemClock, SystemRandom } from '@understudy/shared/node';
import { parseArgs } from 'node:util';
import { type FetchOutcome, REMOTE_KEY_SOURCES } from './core/fetched-key.ts';
import { KEY_SOURCES } from './key-sources/key-sources.ts';

/**
 * A program of its own that the agent starts to fetch its key: the clients of AWS would cost the
 * long-lived process tens of MB. Prints one line of JSON, and nothing else, on standard output.
 */
async function fetchOnce(args: readonly string[]): Promise<FetchOutcome> {
  const option = { type: 'string' } as const;
  const options = {
    ...{ source: option, reference: option, region: option, endpoint: option },
    ...{ member: option, 'secret-file': option, 'ca-file': option },
  };
  const { source, reference = '', region = '', endpoint, ...own } = parseArgs({ args: [...args], options }).values;
  const known = REMOTE_KEY_SOURCES.find((one) => one === source);
  if (!known) return { kind: 'refused', name: 'UnknownSource', detail: `no such source of keys: ${source}` };
  try {
    const { member } = parseMemberId(own.member ?? '');
    const files = { secretFile: own['secret-file'] ?? '', caFile: own['ca-file'] ?? null };
    const tools = { clock: new SystemClock(), random: new SystemRandom() };
    const place = { reference, region, endpoint: endpoint ?? null, member, ...files };
    return { kind: 'found', text: await KEY_SOURCES[known](place, tools) };
  } catch (error) {
    const name = error instanceof Error ? error.name : 'Error';
    return { kind: 'refused', name, detail: errorText(error).slice(0, 500) };
  }
}

void fetchOnce(process.argv.slice(2)).then((outcome) => {
  process.stdout.write(`${JSON.stringify(outcome)}\n`, () => process.exit(0));
});
