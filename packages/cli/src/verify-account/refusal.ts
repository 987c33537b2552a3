/** EC2's own word for a refusal, or the code of ours where it gave none. */
export function refusalOf(error: unknown): string {
  if (!(error instanceof Error)) return 'Unknown';
  const upstream: unknown = Reflect.get(error, 'upstreamCode');
  const code: unknown = Reflect.get(error, 'code');
  return typeof upstream === 'string' ? upstream : typeof code === 'string' ? code : error.name;
}

/** EC2's word, where it refuses the call. Null: it took it. */
export const refusedWith = (call: Promise<unknown>): Promise<string | null> => call.then(() => null, refusalOf);
