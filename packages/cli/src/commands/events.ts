import { type FleetEvent, groupOf, harmlessText } from '@understudy/shared';
import type { CoordinatorClient, EventsWanted } from '@understudy/shared/node';
import { memberMeant, nameMeant } from '../client/chosen-members.ts';
import { fetchWith } from '../client/fetch-with.ts';
import type { CommandDefinition } from '../command-definition.ts';
import { keptEvents } from '../events/kept-events.ts';
import { followEvents } from '../events/follow.ts';
import { clientAt, type ClientOptions, clusterOf } from '../options/client-options.ts';
import { parseDuration } from '../options/parsers.ts';
import type { ProgramContext } from '../program-context.ts';
import { complain, print, shownJson, shownOf, shownText } from '../terminal.ts';
import { eventText } from '../views/events-view.ts';
import { standardOutput } from '../views/screen.ts';

interface EventsOptions extends ClientOptions {
  readonly json?: boolean;
  readonly follow?: boolean;
  readonly since?: number;
}

async function wantedOf(client: CoordinatorClient, asked: string | undefined): Promise<EventsWanted> {
  if (asked === undefined) return { after: null, member: null, group: null };
  if (asked.includes('/')) return { after: null, member: await memberMeant(client, asked), group: null };
  const groups = [...new Set((await client.members()).map(({ member }) => groupOf(member)))];
  return { after: null, member: null, group: nameMeant(asked, groups) };
}

const line = (event: FleetEvent): void => print(shownOf(event, (one) => eventText(one, standardOutput())));

async function showEvents(asked: string | undefined, options: EventsOptions, context: ProgramContext): Promise<void> {
  const { clock, environment } = context;
  const cluster = clusterOf(options, environment);
  const client = clientAt(cluster, cluster.urls);
  const wanted = await wantedOf(client, asked);
  const from = options.since === undefined ? 0 : clock.wallMs() - options.since;
  const { events, cursor } = await keptEvents(client, wanted);
  const shown = events.filter(({ atWallMs }) => (atWallMs ?? Number.POSITIVE_INFINITY) >= from);
  const follows = options.follow === true;
  const tell = options.json === true ? (event: FleetEvent) => print(shownJson(event, 0)) : line;
  if (options.json === true && !follows) return print(shownJson(shown, 2));
  shown.forEach(tell);
  if (!follows) return shown.length === 0 ? print(shownText('nothing is known to have happened')) : undefined;
  process.once('SIGINT', () => {
    complain('understudy: stopped following; what was followed goes on');
    process.kill(process.pid, 'SIGINT');
  });
  let trouble = '';
  await followEvents(
    {
      ...{ urls: cluster.urls, token: cluster.token, fetch: fetchWith(cluster.tls), clock, onEvent: tell },
      onReset: () => complain('understudy: something was missed that is not kept: read the state anew'),
      onTrouble: (text) => {
        if (text !== trouble && text !== '') complain(`understudy: ${harmlessText(text)}; the next is asked`);
        trouble = text;
      },
    },
    { ...wanted, after: cursor },
  );
}

export const events: CommandDefinition = {
  name: 'events',
  summary: 'what changed, the oldest first: verdicts, holds, recoveries, pauses, leaders, problems',
  kind: 'read',
  watch: false,
  examples: [
    { line: 'understudy events --since 1h', what: 'what happened lately' },
    { line: 'understudy events db --follow', what: 'of one group, as it happens, whichever coordinator is there' },
    { line: 'understudy events --follow --json', what: 'a JSON object a line, for a program' },
  ],
  define: (command, context) => {
    command
      .argument('[member|group]', 'only what is about it; the beginning will do')
      .option('--follow', 'go on as things happen, until interrupted')
      .option('--since <duration>', 'only what happened in this time, such as 30m, 2h, 7d', parseDuration)
      .action((asked: string | undefined, options: EventsOptions) => showEvents(asked, options, context));
  },
};
