/**
 * The first versions without the two lease bugs that matter to leadership (docs: STORE_TOO_OLD).
 */
export const ETCD_WANTED = 'etcd 3.5.23 or newer, or 3.6.5 or newer';

/** `etcd --version` prints `etcd Version: 3.5.30` first. */
export function parseEtcdVersion(output) {
  const match = /etcd Version:\s*(\d+)\.(\d+)\.(\d+)/.exec(output ?? '');
  return match ? { major: Number(match[1]), minor: Number(match[2]), patch: Number(match[3]) } : null;
}

export function isNewEnough({ major, minor, patch }) {
  if (major !== 3) return major > 3;
  if (minor === 5) return patch >= 23;
  if (minor === 6) return patch >= 5;
  return minor > 6;
}

export const versionText = ({ major, minor, patch }) => `${major}.${minor}.${patch}`;
