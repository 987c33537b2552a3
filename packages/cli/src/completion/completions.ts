import { type Clock, groupOf, type MemberId } from '@understudy/shared';
import type { Command, Option } from 'commander';
import { contextsPath, readContexts } from '../client/contexts-file.ts';
import { AREAS } from '../inspection/inspected-key.ts';
import { type KnownNames, knownNames } from './known-names.ts';
import { SHELLS } from './scripts.ts';

type Offer = readonly (readonly [value: string, about: string])[];

const offered = (values: readonly string[], about: string): Offer => values.map((value) => [value, about] as const);

function groupsOf(members: readonly string[]): readonly string[] {
  return [...new Set(members.map((member) => groupOf(member as MemberId)))];
}

function contextNames(environment: NodeJS.ProcessEnv): readonly string[] {
  try {
    return Object.keys(readContexts(contextsPath(environment)).contexts);
  } catch {
    return [];
  }
}

/** What may stand for an argument or after an option, by its name. */
function offersOf({ members, recoveries }: KnownNames, contexts: readonly string[]): Readonly<Record<string, Offer>> {
  return {
    member: offered(members, 'member'),
    'member|group': [...offered(members, 'member'), ...offered(groupsOf(members), 'group')],
    group: offered(groupsOf(members), 'group'),
    name: offered(contexts, 'context'),
    area: offered(AREAS, 'area of the key space'),
    shell: offered(SHELLS, 'shell'),
    '--context': offered(contexts, 'context'),
    '--op-id': offered(recoveries, 'open recovery'),
  };
}

/** Where the last word of a line stands. */
interface Place {
  readonly command: Command;
  /** The option whose value it is. Null: it is none. */
  readonly option: Option | null;
  /** Which of the command's arguments it would be. */
  readonly position: number;
}

const takesValue = (option: Option | undefined): option is Option =>
  option !== undefined && (option.required || option.optional);

/** Reads the words before the last one as the program would. */
function placeOf(program: Command, before: readonly string[]): Place {
  let place: Place = { command: program, option: null, position: 0 };
  for (const word of before) {
    const { command, option, position } = place;
    if (option !== null) place = { command, option: null, position };
    else if (word.startsWith('-')) {
      const named = command.options.find((one) => one.long === word || one.short === word);
      place = { command, option: takesValue(named) ? named : null, position };
    } else {
      const below = position === 0 ? command.commands.find((one) => one.name() === word) : undefined;
      place = { command: below ?? command, option: null, position: below === undefined ? position + 1 : 0 };
    }
  }
  return place;
}

/** What the place takes, whatever of it was typed. */
function offersAt({ command, option, position }: Place, last: string, offers: Readonly<Record<string, Offer>>): Offer {
  if (option !== null) return offered(option.argChoices ?? [], '').concat(offers[option.long ?? ''] ?? []);
  const help = command.createHelp();
  if (last.startsWith('-'))
    return help
      .visibleOptions(command)
      .flatMap(({ long, description }) => (long ? [[long, description] as const] : []));
  const argument = command.registeredArguments[position];
  const below = position === 0 ? help.visibleCommands(command) : [];
  return [
    ...below.map((one) => [one.name(), one.description()] as const),
    ...offered(argument?.argChoices ?? [], ''),
    ...(offers[argument?.name() ?? ''] ?? []),
  ];
}

/** The value of an option on the line that is typed. */
const typed = (words: readonly string[], option: string): string | undefined => {
  const at = words.indexOf(option);
  return at === -1 || at >= words.length - 2 ? undefined : words[at + 1];
};

/** How the shell completes a place: with its files, or with these. */
export type Completed = 'files' | Offer;

/** What may follow the words, of which the last one is being typed. Pure. */
export function completed(
  program: Command,
  words: readonly string[],
  names: KnownNames,
  contexts: readonly string[],
): Completed {
  const last = words.at(-1) ?? '';
  const place = placeOf(program, words.slice(0, -1));
  const wanted = place.option?.flags ?? place.command.registeredArguments[place.position]?.name();
  if (/<file>|^file$/.test(wanted ?? '') && !last.startsWith('-')) return 'files';
  const fitting = offersAt(place, last, offersOf(names, contexts)).filter(([value]) => value.startsWith(last));
  return [...new Map(fitting)];
}

/** As {@link completed}, with the names that the cluster on the line knows. */
export function complete(
  program: Command,
  words: readonly string[],
  { environment, clock }: { readonly environment: NodeJS.ProcessEnv; readonly clock: Clock },
): Promise<Completed> {
  const [url, context, tokenFile] = ['--url', '--context', '--token-file'].map((name) => typed(words, name));
  const choice = {
    ...(url === undefined ? {} : { url: [url] }),
    ...(context === undefined ? {} : { context }),
    ...(tokenFile === undefined ? {} : { tokenFile }),
  };
  return knownNames(choice, environment, clock).then((names) =>
    completed(program, words, names, contextNames(environment)),
  );
}
