import type { AgentHost } from '../agent-host.ts';
import { check } from '../check.ts';
import { fault, type Finding, note, ok } from '../finding.ts';
import { metadata } from './metadata.ts';

export interface EnrolmentDocumentFacts {
  /** What the instance says of itself. Null: its metadata service says nothing readable. */
  readonly document: { readonly accountId: string; readonly region: string; readonly instanceId: string } | null;
  /** AWS has signed it in the form that coordinators read. */
  readonly isSigned: boolean;
}

/** What this instance would show to be given its key. Null: its key comes otherwise. Pure. */
export function judgeEnrolmentDocument(facts: EnrolmentDocumentFacts | null): readonly Finding[] {
  if (facts === null) return [];
  const { document, isSigned } = facts;
  if (document === null || !isSigned)
    return [
      fault(
        `the metadata service has no ${document === null ? 'identity document' : 'signature of it (rsa2048)'}`,
        'enable IMDSv2 for the instance; nothing else can prove which one it is (docs/enrolment.md)',
      ),
    ];
  const { accountId, region, instanceId } = document;
  return [
    ok(`its identity document says ${instanceId} of account ${accountId} in ${region}`),
    note(`enrolment.accounts of its coordinators has to name ${accountId}, and they have to be in ${region}`),
  ];
}

function documentIn(text: string | null): EnrolmentDocumentFacts['document'] {
  try {
    const { accountId, region, instanceId } = JSON.parse(text ?? '') as Record<string, unknown>;
    const isWhole = [accountId, region, instanceId].every((one) => typeof one === 'string');
    return isWhole ? { accountId: String(accountId), region: String(region), instanceId: String(instanceId) } : null;
  } catch {
    return null;
  }
}

/** Reads the document as the agent does; whom it convinces is for the coordinators to say. */
export const enrolmentDocument = check(
  'enrolment document',
  async ({ config, environment }: AgentHost): Promise<EnrolmentDocumentFacts | null> => {
    if (config.key.enrolAt === undefined) return null;
    const [text, signed] = await metadata(environment, [
      'dynamic/instance-identity/document',
      'dynamic/instance-identity/rsa2048',
    ]);
    return { document: documentIn(text ?? null), isSigned: (signed ?? '') !== '' };
  },
  judgeEnrolmentDocument,
);
