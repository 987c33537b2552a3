/** The machines we ship for, by the names that each format has for them. */
export const ARCHITECTURES = {
  x64: { node: 'x64', deb: 'amd64', rpm: 'x86_64' },
  arm64: { node: 'arm64', deb: 'arm64', rpm: 'aarch64' },
} as const;

export type Architecture = keyof typeof ARCHITECTURES;
