import type { Clock } from '@understudy/shared';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type MetadataSource, REGION_PATH } from '../checks/metadata.ts';
import type { AgentConfig } from '../config.ts';
import { enrolmentSecretFile, rooted } from '../config-values.ts';
import type { FetchOutcome, RemoteKey } from '../core/fetched-key.ts';
import { runCommand } from './command-runner.ts';

const FETCH_LIMIT_MS = 30_000;
const OUTPUT_CHARACTERS_MAX = 100_000;

/**
 * The program beside this one: in the package a bundle of its own, in the source tree the file it
 * is made of.
 */
function program(): string {
  const self = fileURLToPath(import.meta.url);
  const beside = dirname(self);
  return self.endsWith('.ts') ? join(beside, '../fetch-key.ts') : join(beside, 'understudy-fetch-key.cjs');
}

interface FetcherParts {
  readonly config: AgentConfig;
  readonly key: RemoteKey;
  readonly clock: Clock;
  readonly metadata: MetadataSource;
  readonly imdsEndpoint: string;
}

/** The agent's own memory limits are too small for the clients of AWS. */
const fits = (flag: string): boolean => flag === '--jitless' || flag.startsWith('--conditions');

/** Fetches the key once, in a child process. Never rejects, and never says what it found. */
export function keyFetcher({ config, key, clock, metadata, imdsEndpoint }: FetcherParts): () => Promise<FetchOutcome> {
  return async () => {
    const region = key.source === 'enrolAt' ? '' : (config.key.region ?? (await regionOf(metadata)));
    if (region === null)
      return { kind: 'refused', name: 'NoRegion', detail: 'the metadata service does not name the Region' };
    const { endpoint, caFile } = config.key;
    const args = [
      ...['--source', key.source, '--reference', key.reference, '--region', region],
      ...['--member', config.member, '--secret-file', enrolmentSecretFile(config)],
      ...(caFile === undefined ? [] : ['--ca-file', rooted(config, caFile)]),
    ];
    const command = [process.execPath, ...process.execArgv.filter(fits), program(), ...args];
    const outcome = await runCommand(endpoint === undefined ? command : [...command, '--endpoint', endpoint], {
      clock,
      timeoutMs: FETCH_LIMIT_MS,
      outputCharactersMax: OUTPUT_CHARACTERS_MAX,
      env: { AWS_EC2_METADATA_SERVICE_ENDPOINT: imdsEndpoint, AWS_EC2_METADATA_DISABLED: 'false' },
    });
    if (outcome.kind !== 'exited') return { kind: 'refused', name: 'NotRun', detail: outcome.detail };
    return parseOutcome(outcome.output);
  };
}

async function regionOf(metadata: MetadataSource): Promise<string | null> {
  const answer = await metadata.get(REGION_PATH);
  return answer.kind === 'found' && /^[a-z0-9-]{4,30}$/.test(answer.text.trim()) ? answer.text.trim() : null;
}

/** Warnings of Node may stand before the one line that counts. */
function parseOutcome(output: string): FetchOutcome {
  try {
    const { kind, text, name, detail } = JSON.parse(output.split('\n').at(-1) ?? '') as Record<string, unknown>;
    if (kind === 'found' && typeof text === 'string') return { kind, text };
    if (kind === 'refused') return { kind, name: String(name), detail: String(detail) };
  } catch {
    // What it printed is not repeated: a key may be in it.
  }
  return { kind: 'refused', name: 'NotRun', detail: 'the program that fetches keys printed no answer' };
}
