/** One tarball of the agent, as the list of sums names it. */
export interface Tarball {
  readonly name: string;
  /** 64 hex characters. */
  readonly sha256: string;
}

/** Where the agent finds its key. */
export type KeyPlace =
  | { readonly kind: 'ssmParameter' | 'secretsManager'; readonly reference: string }
  /** HTTPS addresses of the coordinators: they give the key for the identity of the instance. */
  | { readonly kind: 'enrol'; readonly urls: readonly string[] }
  /** 64 hex characters, in the user data itself: every local user can read those. */
  | { readonly kind: 'embedded'; readonly hex: string }
  /** The image brings `/etc/understudy/agent.key`. */
  | { readonly kind: 'image' };

/** Everything that the user data of one member says. */
export interface InstallSettings {
  readonly group: string;
  readonly member: string;
  /** `host:port`, where heartbeats go. */
  readonly coordinators: readonly string[];
  /** Folders that hold the tarballs, without a slash at the end; tried in turn. */
  readonly artefactUrls: readonly string[];
  readonly tarballs: { readonly x64: Tarball; readonly arm64: Tarball };
  readonly keyId: number;
  readonly key: KeyPlace;
  /** Authority of the coordinators' certificates, PEM. Null: what the instance trusts. */
  readonly caPem: string | null;
  /** Units that are to follow understudy-active.target. */
  readonly workloads: readonly string[];
}

const TARBALL = /^([0-9a-f]{64})[ ][ *](understudy-agent-([0-9A-Za-z.+~-]+?)-linux-(x64|arm64)\.tar\.gz)$/;

/**
 * The tarballs of one version in a list of sums. Null: none of that version are there for both
 * architectures. Without a version the list must hold one only.
 */
export function tarballsIn(sums: string, version: string | null): InstallSettings['tarballs'] | null {
  const found = sums.split('\n').flatMap((line) => {
    const [, sha256 = '', name = '', of = '', architecture = ''] = TARBALL.exec(line.trim()) ?? [];
    return name === '' || (version !== null && of !== version) ? [] : [{ name, sha256, version: of, architecture }];
  });
  if (new Set(found.map((one) => one.version)).size !== 1) return null;
  const of = (wanted: string): Tarball | undefined => found.find(({ architecture }) => architecture === wanted);
  const [x64, arm64] = [of('x64'), of('arm64')];
  return x64 && arm64
    ? { x64: { name: x64.name, sha256: x64.sha256 }, arm64: { name: arm64.name, sha256: arm64.sha256 } }
    : null;
}
