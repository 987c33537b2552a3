import * as z from 'zod';
import { DownloadSlots } from '../artefacts.ts';
import { Refusal } from '../refusal.ts';
import { type Answer, defineRoute } from '../route.ts';

const ParamsSchema = z.strictObject({ file: z.string().max(200) });

/** They are shared by all requests to this process. */
const slots = new DownloadSlots();
const RETRY_AFTER_S = '5';
/** A reader that is slower than this for 30 MB does not keep its slot. */
const DOWNLOAD_MS = 300_000;

/**
 * Anonymous: it is what anybody may download from the project, and whoever installs it compares it
 * with the SHA-256 in his user data.
 */
export const artefact = defineRoute({
  ...{ method: 'GET', path: '/artefacts/:file', role: 'anybody', operationId: 'getArtefact', tag: 'Install' },
  summary: "A file of the folder http.artefactsDir: the agent's tarballs, and SHA256SUMS",
  description: 'Only names in SHA256SUMS, and that list itself. Its SHA-256 is its ETag.',
  params: ParamsSchema,
  answers: { 200: { text: 'The file.' }, 304: { text: 'It is the one of the ETag that was shown.' } },
  refusals: ['PATH_UNKNOWN', 'UNAVAILABLE'],
  handle: async ({ params, request, reply }, { artefacts, clock }): Promise<Answer> => {
    const found = await artefacts?.find(params.file);
    if (!found) throw new Refusal('PATH_UNKNOWN', 'no such file is handed out here: GET /artefacts/SHA256SUMS');
    const etag = `"${found.sha256}"`;
    if (request.headers['if-none-match'] === etag) return { status: 304, body: undefined, headers: { etag } };
    const giveUp = slots.take(request.ip);
    if (!giveUp) throw new Refusal('UNAVAILABLE', 'too many downloads are under way', { 'retry-after': RETRY_AFTER_S });
    const stream = found.open();
    const limit = clock.setTimer(DOWNLOAD_MS, () => stream.destroy(new Error('the reader is too slow')));
    const end = () => {
      limit.cancel();
      giveUp();
    };
    stream.once('close', end);
    // A reader that has gone before the first byte leaves the stream open.
    reply.raw.once('close', () => stream.destroy());
    return {
      status: 200,
      body: stream,
      headers: {
        'content-type': params.file.endsWith('.gz') ? 'application/gzip' : 'application/octet-stream',
        'content-length': String(found.bytes),
        'cache-control': 'no-cache',
        'x-content-type-options': 'nosniff',
        etag,
      },
    };
  },
});
