/** What may be made for a suspect (`docs/prepare.md`). */
export const PREPARED_KINDS = ['snapshot', 'seed', 'capacity'] as const;
export type PreparedKind = (typeof PREPARED_KINDS)[number];
