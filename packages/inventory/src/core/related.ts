import type { JsonObject } from './document.ts';

/** The beginning of an id → the kind of resource that it names. */
const BEGINNINGS: Readonly<Record<string, string>> = {
  i: 'instance',
  vol: 'volume',
  snap: 'snapshot',
  eni: 'interface',
  eipalloc: 'address',
  sg: 'security-group',
  subnet: 'subnet',
  ami: 'image',
};

const ID = /\b(i|vol|snap|eni|eipalloc|sg|subnet|ami)-[0-9a-f]{8,17}\b/g;

export interface Named {
  readonly kind: string;
  readonly id: string;
}

/** The resources that a document names, each once, in the order of their names. */
export function namedIn(document: JsonObject): readonly Named[] {
  const ids = new Map([...JSON.stringify(document).matchAll(ID)].map(([id, beginning = '']) => [id, beginning]));
  return [...ids]
    .flatMap(([id, beginning]) => {
      const kind = BEGINNINGS[beginning];
      return kind === undefined ? [] : [{ kind, id }];
    })
    .sort((a, b) => (a.id < b.id ? -1 : 1));
}
