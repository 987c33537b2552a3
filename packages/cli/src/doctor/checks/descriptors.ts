import { readFileSync } from 'node:fs';
import { check } from '../check.ts';
import type { CoordinatorHost } from '../coordinator-host.ts';
import { type Finding, note, ok, warning } from '../finding.ts';

export interface DescriptorFacts {
  /** The soft limit of this process. Null: not known. */
  readonly limit: number | null;
  readonly connections: number;
}

/** What a coordinator has open beside its HTTP connections: etcd, EC2, KMS, sockets, logs. */
const OTHERS = 256;

/** Whether a process that starts as this one did may open enough files. Pure. */
export function judgeDescriptors({ limit, connections }: DescriptorFacts): readonly Finding[] {
  const wanted = connections + OTHERS;
  if (limit === null) return [note('the limit of open files is not known here')];
  return limit < wanted
    ? [
        warning(
          `this shell may open ${limit} files; a coordinator with http.connections = ${connections} wants ${wanted}`,
          'set LimitNOFILE= in the unit',
          'systemctl show -p LimitNOFILE understudy-coordinator',
        ),
      ]
    : [ok(`${limit} files may be open, ${wanted} are wanted`)];
}

function softLimit(): number | null {
  try {
    const limits = readFileSync('/proc/self/limits', 'utf8');
    const text = /^Max open files\s+(\S+)/m.exec(limits)?.[1];
    return text === undefined ? null : text === 'unlimited' ? Number.POSITIVE_INFINITY : Number(text);
  } catch {
    return null;
  }
}

export const descriptors = check(
  'file descriptors',
  ({ config }: CoordinatorHost) => ({ limit: softLimit(), connections: config.http.connections }),
  judgeDescriptors,
);
