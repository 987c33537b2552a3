/** Where an event stands: revision of etcd, write within it, event of that write. */
export type EventId = readonly [revision: number, write: number, event: number];

/** Null: it is no id of an event. */
export function parseEventId(text: string): EventId | null {
  const parts = /^(\d{1,15})\.(\d{1,6})\.(\d{1,6})$/.exec(text);
  return parts ? [Number(parts[1]), Number(parts[2]), Number(parts[3])] : null;
}

export const eventIdText = (id: EventId): string => id.join('.');

/** Below 0: `a` comes first. */
export const compareIds = (a: EventId, b: EventId): number => a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
