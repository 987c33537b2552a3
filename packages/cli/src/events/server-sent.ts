/** One message of a stream of server-sent events. */
export interface ServerSent {
  readonly event: string;
  readonly id: string | null;
  readonly data: string;
}

function messageOf(block: string): ServerSent | null {
  const fields = { event: 'message', id: null as string | null, data: [] as string[] };
  for (const line of block.split('\n')) {
    const [, name, value = ''] = /^(event|id|data): ?(.*)$/.exec(line) ?? [];
    if (name === 'event') fields.event = value;
    if (name === 'id') fields.id = value;
    if (name === 'data') fields.data.push(value);
  }
  return fields.data.length === 0 ? null : { ...fields, data: fields.data.join('\n') };
}

/** The messages of a body, one after the other, until it ends. A message that is cut is none. */
export async function* serverSent(body: AsyncIterable<Uint8Array>): AsyncGenerator<ServerSent> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of body) {
    const blocks = `${rest}${decoder.decode(chunk, { stream: true })}`.replaceAll('\r\n', '\n').split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const message = messageOf(block);
      if (message !== null) yield message;
    }
  }
}
