/** Longest piece of user data that is looked through, characters of text; EC2 takes 16 KiB. */
const TEXT_MAX = 65_536;

/**
 * `key: { id: 1, …` or `key:` and, deeper, `id: 1`, as an agent's configuration has it; also inside
 * a cloud-init document.
 */
const KEY_ID =
  /^([ \t]*)key:[ \t]*(?:\{[^}\n]*?\bid:[ \t]*(\d{1,3})\b|\r?\n(?:\1[ \t]+\S.*\r?\n)*?\1[ \t]+id:[ \t]*(\d{1,3})\b)/m;

/**
 * The key id that the agent configuration in an instance's user data names. Null when none is found
 * there (compressed, encrypted, or kept elsewhere). A replacement starts from the same user data,
 * however old its key is. `userData` is base64, as EC2 gives it. It holds a secret, of which
 * nothing is returned.
 */
export function keyIdInUserData(userData: string | null): number | null {
  if (userData === null) return null;
  const text = Buffer.from(userData, 'base64').toString('utf8').slice(0, TEXT_MAX);
  // An agent that enrols is told the id with its key.
  if (/^[ \t]*(?:key:.*\b)?enrolAt:/m.test(text)) return null;
  const found = KEY_ID.exec(text);
  const id = Number(found?.[2] ?? found?.[3]);
  return id >= 1 && id <= 255 ? id : null;
}
