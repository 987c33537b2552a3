import {
  invariant,
  type KvCompare,
  type KvEntry,
  type KvEvent,
  type KvTxn,
  type KvWrite,
  type Revision,
} from '@understudy/shared';
import type { ICompare, IEvent, IKeyValue, IRequestOp, ITxnRequest } from 'etcd3';

/**
 * Checks that the number is exact, because etcd counts in 64 bits. 2^53 revisions are 285 years at
 * a million a second.
 */
export function revisionFrom(text: string): Revision {
  const revision = Number(text);
  invariant(Number.isSafeInteger(revision), `revision ${text} does not fit a number exactly`);
  return revision;
}

export const keyBytes = (key: string): Buffer => Buffer.from(key, 'utf8');

/** First key after all keys with this prefix; a zero byte = to the end of the key space. */
export function prefixEnd(prefix: string): Buffer {
  const end = keyBytes(prefix);
  for (let at = end.length - 1; at >= 0; at -= 1) {
    const byte = end[at] ?? 0xff;
    if (byte < 0xff) {
      end[at] = byte + 1;
      return end.subarray(0, at + 1);
    }
  }
  return Buffer.from([0]);
}

/** `range_end` for everything under a prefix; an empty prefix is the whole key space. */
export const prefixRange = (prefix: string): { key: Buffer; range_end: Buffer } => ({
  key: prefix === '' ? Buffer.from([0]) : keyBytes(prefix),
  range_end: prefixEnd(prefix),
});

export const entryFrom = (kv: IKeyValue): KvEntry => ({
  key: kv.key.toString('utf8'),
  value: kv.value.toString('utf8'),
  createRevision: revisionFrom(kv.create_revision),
  modRevision: revisionFrom(kv.mod_revision),
  leaseId: kv.lease === '0' ? null : kv.lease,
});

export const eventFrom = (event: IEvent): KvEvent =>
  event.type === 'Delete'
    ? { kind: 'delete', key: event.kv.key.toString('utf8'), modRevision: revisionFrom(event.kv.mod_revision) }
    : { kind: 'put', entry: entryFrom(event.kv) };

export const revisionOfEvent = (event: KvEvent): Revision =>
  event.kind === 'put' ? event.entry.modRevision : event.modRevision;

function compareRequest(compare: KvCompare): ICompare {
  const key = keyBytes(compare.key);
  return 'createRevision' in compare
    ? { key, target: 'Create', result: 'Equal', create_revision: String(compare.createRevision) }
    : { key, target: 'Mod', result: 'Equal', mod_revision: String(compare.modRevision) };
}

function writeRequest(write: KvWrite): IRequestOp {
  switch (write.kind) {
    case 'put':
      return {
        request_put: {
          key: keyBytes(write.key),
          value: Buffer.from(write.value, 'utf8'),
          ...(write.leaseId === undefined ? {} : { lease: write.leaseId }),
        },
      };
    case 'delete':
      return { request_delete_range: { key: keyBytes(write.key) } };
    case 'deletePrefix':
      return { request_delete_range: prefixRange(write.prefix) };
  }
}

export const txnRequest = (txn: KvTxn): ITxnRequest => ({
  compare: txn.compare.map(compareRequest),
  success: txn.writes.map(writeRequest),
  failure: (txn.elseGet ?? []).map((key) => ({ request_range: { key: keyBytes(key) } })),
});
