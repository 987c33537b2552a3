import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * File names that apt itself would read (apt sources.list(5)): the others are disabled files, and
 * we do not read those either.
 */
const APT_FILE = /^[A-Za-z0-9_.-]+\.(list|sources)$/;

/**
 * The enabled binary package sources of this machine, `{ uris, suites, components }` each, in apt's
 * order. Both formats of sources.list(5): one-line and deb822.
 */
export function configuredSources(aptDirectory = '/etc/apt') {
  const parts = join(aptDirectory, 'sources.list.d');
  const files = [join(aptDirectory, 'sources.list')];
  if (existsSync(parts))
    files.push(
      ...readdirSync(parts)
        .filter((name) => APT_FILE.test(name))
        .sort()
        .map((name) => join(parts, name)),
    );
  return files.filter((file) => existsSync(file)).flatMap((file) => parseFile(file, readFileSync(file, 'utf8')));
}

const parseFile = (file, text) => (file.endsWith('.sources') ? parseDeb822(text) : parseOneLine(text));

export function parseOneLine(text) {
  return text.split('\n').flatMap((raw) => {
    const match = /^\s*deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)((?:\s+[^\s#]+)*)/.exec(raw);
    if (!match) return [];
    const [, uri, suite, components] = match;
    return [{ uris: [uri], suites: [suite], components: words(components) }];
  });
}

export function parseDeb822(text) {
  const withoutComments = text.split('\n').filter((line) => !line.startsWith('#'));
  return withoutComments
    .join('\n')
    .split(/\n\s*\n/)
    .flatMap((stanza) => {
      const field = (name) =>
        words(new RegExp(`^${name}:((?:.*\\n?)(?:[ \\t]+.*\\n?)*)`, 'im').exec(stanza)?.[1] ?? '');
      const enabled = !/^(no|false|0|off|without|disable)$/i.test(field('Enabled')[0] ?? 'yes');
      if (!enabled || !field('Types').includes('deb')) return [];
      return [{ uris: field('URIs'), suites: field('Suites'), components: field('Components') }];
    });
}

const words = (text) => text.split(/\s+/).filter((word) => word !== '');

/**
 * Where the machine gets its own release from: the archive that also carries the distribution's
 * newest suite.
 */
export function archiveUri(sources, releaseSuites) {
  const usable = sources.find(
    ({ uris, suites, components }) =>
      components.includes('main') &&
      suites.some((suite) => releaseSuites.includes(suite)) &&
      uris.some((uri) => !uri.startsWith('cdrom:')),
  );
  return usable?.uris.find((uri) => !uri.startsWith('cdrom:')) ?? null;
}
