/**
 * The session's cookie. `__Host-` makes browsers refuse it from anybody but this host over TLS, for
 * the whole host and no other. Over plain HTTP there is no such name.
 */
const nameOf = (isSecure: boolean): string => (isSecure ? '__Host-understudy-session' : 'understudy-session');

/** The cookie that was sent. Null: none. */
export function sessionCookieIn(header: string | undefined, isSecure: boolean): string | null {
  const wanted = `${nameOf(isSecure)}=`;
  const found = (header ?? '').split(/; */).find((part) => part.startsWith(wanted));
  return found === undefined ? null : found.slice(wanted.length);
}

/** Value of `set-cookie`. No script reads it, no other site sends it, and plain HTTP never does. */
export function sessionCookie(value: string, maxAgeSeconds: number, isSecure: boolean): string {
  const secure = isSecure ? '; Secure' : '';
  return `${nameOf(isSecure)}=${value}; Path=/; Max-Age=${maxAgeSeconds}; HttpOnly; SameSite=Strict${secure}`;
}
