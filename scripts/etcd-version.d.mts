export interface EtcdVersion {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
}
export const ETCD_WANTED: string;
export function parseEtcdVersion(output: string | null): EtcdVersion | null;
export function isNewEnough(version: EtcdVersion): boolean;
export function versionText(version: EtcdVersion): string;
