import { OperationError } from '@understudy/shared';

const DEFAULT_URL = 'http://127.0.0.1:8080';

/**
 * URLs of the coordinators. `--url` may be given several times or hold a comma-separated list.
 * Without it `UNDERSTUDY_URL` is used, then the default port here. `host:port` is
 * `http://host:port`.
 * @throws CONFIG_INVALID
 */
export function coordinatorUrls(
  given: readonly string[] | undefined,
  environment: NodeJS.ProcessEnv,
): readonly string[] {
  const asked = given && given.length > 0 ? given.join(',') : (environment.UNDERSTUDY_URL ?? '');
  const texts = asked
    .split(',')
    .map((text) => text.trim())
    .filter((text) => text !== '');
  if (texts.length === 0 && given && given.length > 0)
    throw new OperationError('CONFIG_INVALID', '--url is empty: want host:port or http://host:port');
  return texts.length === 0 ? [DEFAULT_URL] : [...new Set(texts.map(urlOf))];
}

function urlOf(text: string): string {
  const want = 'want host:port, http://host:port or https://host:port';
  const hasScheme = /^[a-z][a-z0-9+.-]*:\/\//i.test(text);
  const full = hasScheme ? text : `http://${text}`;
  // Without a scheme a bare word is more likely a mistake than a host that listens on port 80.
  const isNamed = hasScheme || /:\d+(?:\/|$)/.test(text);
  if (!isNamed || !URL.canParse(full) || !/^https?:\/\//i.test(full))
    throw new OperationError('CONFIG_INVALID', `"${text}" is no URL of a coordinator: ${want}`);
  return full;
}
