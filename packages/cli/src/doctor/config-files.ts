/** A file that a configuration names. */
export interface NamedFile {
  /** `etcd.tls.keyFile` */
  readonly field: string;
  readonly path: string;
  /** Whoever reads it may do what this host may. */
  readonly isSecret: boolean;
}

const isFileField = (name: string): boolean => name === 'file' || name.endsWith('File');
/** Certificates are public. */
const isPublic = (name: string): boolean => /^(?:client)?(?:ca|cert)File$/i.test(name);

/**
 * Every file that a configuration names, wherever it stands: fields named `file` or `…File`. Pure.
 */
export function namedFiles(config: unknown, path: readonly string[] = []): readonly NamedFile[] {
  if (typeof config !== 'object' || config === null) return [];
  return Object.entries(config).flatMap(([name, value]: [string, unknown]) =>
    isFileField(name) && typeof value === 'string'
      ? [{ field: [...path, name].join('.'), path: value, isSecret: !isPublic(name) }]
      : namedFiles(value, [...path, name]),
  );
}
