/** What a reading says of each thing it is about, without ages: only what may change. */
export type Facts = ReadonlyMap<string, string>;

/** A line for each thing that is new, other than before, or gone. Pure. */
export function changesOf(before: Facts, after: Facts): readonly string[] {
  const changed = [...after].flatMap(([about, now]) => {
    const old = before.get(about);
    if (old === now) return [];
    return [old === undefined ? `${about}: ${now}` : `${about}: ${old} → ${now}`];
  });
  const gone = [...before].filter(([about]) => !after.has(about)).map(([about, old]) => `${about}: ${old} → gone`);
  return [...changed, ...gone];
}
