/**
 * Is this the metadata service's answer? Something else may answer at its address with status 200: a captive page, a proxy that takes link-local requests too. A page taken
 * for an instance id would read as "this is another instance" (and restart the agent), one taken for a notice as a notice (S18).
 */
const INSTANCE_ID = /^i-[0-9a-z]+$/;
/** What a header can carry; EC2's tokens are base64 of some 40 bytes. */
const TOKEN = /^[\w+/=.-]{1,1024}$/;

export const isToken = (text: string): boolean => TOKEN.test(text);

/** `path` below `/latest/meta-data/`. All we ask for but the id is JSON (EC2 User Guide, "Instance metadata categories"). */
export function isOwnMetadata(path: string, text: string): boolean {
  return path === 'instance-id' ? INSTANCE_ID.test(text.trim()) : isJsonDocument(text);
}

function isJsonDocument(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null;
  } catch {
    return false;
  }
}
