import { textOf } from '@understudy/shared';
import type { Kind } from './kind.ts';
import { neverEnds } from './listings.ts';

/** A record set of a hosted zone. It has no id of its own: zone, name, type and set name it. */
export const record: Kind = {
  name: 'record',
  listing: {
    ...{ service: 'route53', action: 'ListResourceRecordSets', rows: 'ResourceRecordSets', input: {} },
    ...{ paging: 'record-set', size: null },
  },
  scope: 'hosted-zone',
  idOf: ({ Name, Type, SetIdentifier }, zone) => {
    const [name, type, set] = [textOf(Name), textOf(Type), textOf(SetIdentifier)];
    return name === null || type === null ? null : [zone, name, type, ...(set === null ? [] : [set])].join('/');
  },
  volatile: [],
  hasEnded: neverEnds,
};
