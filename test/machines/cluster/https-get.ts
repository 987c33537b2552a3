import { request } from 'node:https';

const LIMIT_MS = 3_000;

export interface HttpsReply {
  readonly status: number;
  readonly body: unknown;
}

/** A GET whose server has to show a certificate of `ca`. Null: no answer in time, or no JSON. */
export function httpsGet(url: string, ca: string, token: string): Promise<HttpsReply | null> {
  return new Promise((resolve) => {
    const options = { ca, headers: { authorization: `Bearer ${token}` }, signal: AbortSignal.timeout(LIMIT_MS) };
    const asked = request(url, options, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.once('error', () => resolve(null));
      response.once('end', () => resolve(replyOf(response.statusCode ?? 0, text)));
    });
    asked.once('error', () => resolve(null));
    asked.end();
  });
}

function replyOf(status: number, text: string): HttpsReply | null {
  try {
    return { status, body: JSON.parse(text) };
  } catch {
    return null;
  }
}
