import { request } from 'node:http';

const IMDS = 'http://169.254.169.254';
const ASK_MS = 3_000;
const TTL = { 'x-aws-ec2-metadata-token-ttl-seconds': '60' };
const ANSWER_CHARACTERS_MAX = 16_384;

const asked = (url: string, method: string, headers: Readonly<Record<string, string>>): Promise<string | null> =>
  new Promise((resolve) => {
    const sent = request(url, { method, headers: { ...headers }, timeout: ASK_MS }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (piece: string) => (text = (text + piece).slice(0, ANSWER_CHARACTERS_MAX)));
      answer.on('end', () => resolve(answer.statusCode === 200 ? text.trim() : null));
    });
    sent.on('timeout', () => sent.destroy()).on('error', () => resolve(null));
    sent.end();
  });

/** What the metadata service says at these paths, by IMDSv2. Null: nothing. Never rejects. */
export async function metadata(
  environment: NodeJS.ProcessEnv,
  paths: readonly string[],
): Promise<readonly (string | null)[]> {
  const endpoint = environment['AWS_EC2_METADATA_SERVICE_ENDPOINT'] ?? IMDS;
  const token = await asked(`${endpoint}/latest/api/token`, 'PUT', TTL);
  if (token === null) return paths.map(() => null);
  const headers = { 'x-aws-ec2-metadata-token': token };
  return Promise.all(paths.map((path) => asked(`${endpoint}/latest/${path}`, 'GET', headers)));
}
