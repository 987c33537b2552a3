/**
 * Where an instance keeps which ids it has begun, and how they ended: on disk, to outlive a boot.
 */
export const GUARD_FOLDER = '/var/lib/understudy/hooks';
/**
 * A try is sent under its id for so long and not longer, and its guard is kept for longer: nothing
 * that may still be run is without one.
 */
export const TRY_AGE_MAX_MS = 7 * 86_400_000;
/** What `find -mtime +N` takes: more than so many whole days, so 31 at least. */
export const GUARD_KEPT_DAYS = 30;
/** The beginning of what a script says is kept. */
export const SAID_BYTES_MAX = 2_048;
/** So far an instance's clock may be behind ours. More, and it runs nothing. */
export const CLOCK_BEHIND_MAX_MS = 30_000;
/** sysexits: come again. It was not run, or the first run of this id has not ended. */
export const NOT_RUN = 75;
/** sysexits: what is needed for the guard is not there. It was not run. */
export const NO_GUARD = 69;

export interface OnceScript {
  /** The guard: whoever sends it again under the same id runs nothing twice. */
  readonly id: string;
  readonly script: string;
  /** JSON, on its standard input. */
  readonly body: string;
  readonly sentAtWallMs: number;
  /** From then on it does nothing, by the instance's clock. */
  readonly notAfterWallMs: number;
  /** Default {@link GUARD_FOLDER}. */
  readonly guardFolder?: string;
}

const base64 = (text: string): string => Buffer.from(text, 'utf8').toString('base64');
const seconds = (ms: number): number => Math.floor(ms / 1_000);

/**
 * **S** (S35) The lines that an instance runs: the operator's script once per id, and not after its
 * time. Systems Manager may deliver a command twice, late, or long after it said that it did not.
 *
 * - Expiry first: past `notAfter` nothing is run, and nothing where the clock is behind the sending
 *   by more than {@link CLOCK_BEHIND_MAX_MS}, because it cannot tell.
 * - Then `mkdir`, which one of two runs does. The other waits for the first and says what it said.
 * - `timeout` ends what runs at `notAfter`, also where delivery took most of the time.
 * - Guards of {@link GUARD_KEPT_DAYS} days ago are removed, by a clock that has just been found
 *   right: no command of theirs is within its time any more. Nothing else in the folder is touched.
 *
 * Script and facts are base64, so that neither a shell nor Systems Manager (which puts values in
 * place of `{{…}}`) reads anything in them. Pure.
 */
export function onceScript(options: OnceScript): readonly string[] {
  const { id, script, body, sentAtWallMs, notAfterWallMs, guardFolder = GUARD_FOLDER } = options;
  return [
    `ID='${id.replaceAll(/[^a-z0-9.-]/g, '_')}'`,
    `FROM=${seconds(sentAtWallMs - CLOCK_BEHIND_MAX_MS)} UNTIL=${seconds(notAfterWallMs)}`,
    `ALL='${guardFolder}' OWN='${guardFolder}'/$ID`,
    'leave() { echo "understudy: $1" >&2; exit "$2"; }',
    `for tool in timeout base64 mkdir head date; do command -v $tool >/dev/null || leave "no $tool here: not run" ${NO_GUARD}; done`,
    `umask 077; mkdir -p "$ALL" || leave "no folder $ALL: not run" ${NO_GUARD}`,
    `[ "$(date +%s)" -ge $FROM ] || leave 'the clock here is behind: not run' ${NOT_RUN}`,
    `[ "$(date +%s)" -lt $UNTIL ] || leave 'it came too late: not run' ${NOT_RUN}`,
    `find "$ALL" -mindepth 1 -maxdepth 1 -type d -name 'op-*' -mtime +${GUARD_KEPT_DAYS} -exec rm -rf {} + 2>/dev/null`,
    'if ! mkdir "$OWN" 2>/dev/null; then',
    `  [ -d "$OWN" ] || leave "no folder $OWN: not run" ${NO_GUARD}`,
    '  while [ ! -f "$OWN/ended" ]; do',
    `    [ "$(date +%s)" -lt $UNTIL ] || leave 'the first run of this id has not ended' ${NOT_RUN}`,
    '    sleep 1',
    '  done',
    '  cat "$OWN/said"; exit "$(cat "$OWN/ended")"',
    'fi',
    `printf %s '${base64(script)}' | base64 -d >"$OWN/script"`,
    `printf %s '${base64(body)}' | base64 -d >"$OWN/facts"`,
    `LEFT=$((UNTIL - $(date +%s))); [ $LEFT -gt 0 ] || leave 'it came too late: not run' ${NOT_RUN}`,
    'UNDERSTUDY_HOOK_ID=$ID timeout -k 2 $LEFT sh "$OWN/script" <"$OWN/facts" >"$OWN/all" 2>&1; CODE=$?',
    `head -c ${SAID_BYTES_MAX} "$OWN/all" >"$OWN/said"; rm -f "$OWN/all" "$OWN/script"`,
    'echo $CODE >"$OWN/ending" && mv "$OWN/ending" "$OWN/ended"',
    'cat "$OWN/said"; exit $CODE',
  ];
}
