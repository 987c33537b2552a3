export interface AptSource {
  readonly uris: readonly string[];
  readonly suites: readonly string[];
  readonly components: readonly string[];
}
export function configuredSources(aptDirectory?: string): AptSource[];
export function parseOneLine(text: string): AptSource[];
export function parseDeb822(text: string): AptSource[];
export function archiveUri(sources: readonly AptSource[], releaseSuites: readonly string[]): string | null;
