/**
 * Two authorities, because etcd lets in whoever its authority signed: with one for all, an
 * operator's certificate would open etcd, past every guard.
 */
export type AuthorityName = 'etcd' | 'api';

export interface CertificateKind {
  readonly authority: AuthorityName;
  /** What it may be used for (extended key usage). */
  readonly uses: readonly ('serverAuth' | 'clientAuth')[];
  /** It is a server's, so it names the addresses it is reached at. */
  readonly isServer: boolean;
  readonly what: string;
}

export const CERTIFICATE_KINDS = {
  'etcd-member': {
    ...{ authority: 'etcd', uses: ['serverAuth', 'clientAuth'], isServer: true },
    what: 'one etcd member, to its clients and its peers',
  },
  'etcd-client': {
    ...{ authority: 'etcd', uses: ['clientAuth'], isServer: false },
    what: 'one coordinator, to etcd',
  },
  coordinator: {
    ...{ authority: 'api', uses: ['serverAuth'], isServer: true },
    what: 'one coordinator, to browsers, commands, agents and other coordinators',
  },
  operator: {
    ...{ authority: 'api', uses: ['clientAuth'], isServer: false },
    what: 'a person or a program, to the coordinators',
  },
} as const satisfies Readonly<Record<string, CertificateKind>>;

export type KindName = keyof typeof CERTIFICATE_KINDS;

export const KIND_NAMES = Object.keys(CERTIFICATE_KINDS) as readonly KindName[];

export const isKindName = (text: string): text is KindName => Object.hasOwn(CERTIFICATE_KINDS, text);

export const AUTHORITY_NAMES: readonly AuthorityName[] = ['etcd', 'api'];
