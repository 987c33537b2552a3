import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { errorText } from '@understudy/shared';
import { check } from '../check.ts';
import type { CoordinatorHost } from '../coordinator-host.ts';
import { type Finding, fault, ok } from '../finding.ts';

export interface NameFacts {
  readonly name: string;
  readonly addresses: readonly string[];
  readonly problem: string | null;
}

/** Whether every name in the configuration is known to DNS. Pure. */
export function judgeNames(names: readonly NameFacts[]): readonly Finding[] {
  if (names.length === 0) return [ok('the configuration names no host by name')];
  return names.map(({ name, addresses, problem }) =>
    problem === null
      ? ok(`${name} is ${addresses.join(', ')}`)
      : fault(
          `DNS does not know ${name}: ${problem}`,
          'correct the name, or the resolver of this host',
          `getent hosts ${name}`,
        ),
  );
}

/** The hosts of every URL in a configuration that are names. */
function hostNames(value: unknown): readonly string[] {
  if (typeof value === 'string') {
    const host =
      /^https?:\/\//.test(value) && URL.canParse(value) ? new URL(value).hostname.replace(/^\[|\]$/g, '') : '';
    return host === '' || isIP(host) !== 0 ? [] : [host];
  }
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(hostNames) : [];
}

async function resolved(name: string): Promise<NameFacts> {
  try {
    const found = await lookup(name, { all: true });
    return { name, addresses: found.map(({ address }) => address), problem: null };
  } catch (error) {
    return { name, addresses: [], problem: errorText(error) };
  }
}

export const names = check(
  'names',
  ({ config }: CoordinatorHost) => Promise.all([...new Set(hostNames(config))].map(resolved)),
  judgeNames,
);
