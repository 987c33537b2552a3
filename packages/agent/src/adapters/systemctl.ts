import type { Clock } from '@understudy/shared';
import type { UnitSight } from '../core/withdrawal.ts';
import type { ServiceUnits } from '../target-withdrawal.ts';
import { SYSTEMCTL_GRACE_MS, SYSTEMCTL_MS } from '../serve-times.ts';
import { type CommandOutcome, runCommand } from './command-runner.ts';

/** Room for the properties of every unit that a config may name. */
const OUTPUT_CHARACTERS_MAX = 50_000;

/** One `systemctl` command, ended after 4 s and left alone after 5, whatever it hangs in. */
export const systemctl = (args: readonly string[], clock: Clock): Promise<CommandOutcome> =>
  runCommand(['systemctl', ...args], {
    clock,
    timeoutMs: SYSTEMCTL_MS,
    graceMs: SYSTEMCTL_GRACE_MS,
    outputCharactersMax: OUTPUT_CHARACTERS_MAX,
  });

const done = (outcome: CommandOutcome): boolean => outcome.kind === 'exited' && outcome.code === 0;

/** Asked of every unit; the last two name what hangs on a target. */
const PROPERTIES = ['Id', 'LoadState', 'ActiveState', 'Job', 'TasksCurrent', 'ConsistsOf', 'RequisiteOf'];

/** systemd, asked through `systemctl`. */
export const serviceUnits = (clock: Clock): ServiceUnits => ({
  async look(names) {
    const outcome = await systemctl(['show', '--property', PROPERTIES.join(','), '--', ...names], clock);
    return outcome.kind === 'exited' && outcome.code === 0 ? parseUnits(outcome.output, names) : null;
  },
  async stop(names) {
    const how = ['--no-block', '--no-ask-password', '--job-mode=replace-irreversibly'];
    return done(await systemctl(['stop', ...how, '--', ...names], clock));
  },
  async kill(names) {
    const how = ['--kill-who=all', '--signal=SIGKILL', '--no-ask-password'];
    return done(await systemctl(['kill', ...how, '--', ...names], clock));
  },
});

/**
 * Reads what `systemctl show` prints: one block of `NAME=value` lines a unit, in the order asked
 * for. Null when blocks are missing, because then nothing is proven about those.
 */
export function parseUnits(
  output: string,
  names: readonly string[],
): { readonly units: readonly UnitSight[]; readonly alsoFound: readonly string[] } | null {
  const blocks = output.split(/\n[ \t]*\n/).map(propertiesOf);
  if (blocks.length !== names.length || blocks.some((block) => !block.has('ActiveState'))) return null;
  const units = blocks.map(
    (block, index): UnitSight => ({
      name: names[index] ?? '',
      loaded: block.get('LoadState') !== 'not-found',
      activeState: block.get('ActiveState') ?? '',
      jobPending: (block.get('Job') ?? '') !== '',
      tasks: tasksIn(block.get('TasksCurrent') ?? ''),
    }),
  );
  const asked = new Set([...names, ...blocks.map((block) => block.get('Id') ?? '')]);
  const hanging = blocks.flatMap((block) => [block.get('ConsistsOf') ?? '', block.get('RequisiteOf') ?? '']);
  const found = hanging.flatMap((list) => list.split(' ')).filter((name) => name !== '' && !asked.has(name));
  return { units, alsoFound: [...new Set(found)] };
}

/** What is not known shows as `[not set]`, or as the largest number of 64 bits. */
const TASKS_UNKNOWN = 2 ** 64;

function tasksIn(text: string): number {
  const tasks = /^\d+$/.test(text) ? Number(text) : 0;
  return tasks < TASKS_UNKNOWN ? tasks : 0;
}

const propertiesOf = (block: string): ReadonlyMap<string, string> =>
  new Map(
    block.split('\n').map((line): [string, string] => {
      const at = line.indexOf('=');
      return [line.slice(0, at).trim(), line.slice(at + 1).trim()];
    }),
  );
