import { Command, InvalidArgumentError } from 'commander';
import { campaign, type CampaignResult, type Loss } from './campaign.ts';
import { allProfileRates, profilesTable } from './profiles.ts';
import { campaignText, lossName, settingsTable } from './report.ts';
import { runSerf } from './serf/run-serf.ts';

const OBSERVERS = 3;

const positive = (text: string): number => {
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0) throw new InvalidArgumentError('want a number above 0');
  return value;
};

/**
 * Runs the stream of each observer of its own. Whether all of them agreed is looked for in the
 * first one's.
 */
function allObservers(loss: Loss, agentYears: number, seed: number, onlyDeaths: boolean): CampaignResult {
  const results = Array.from({ length: OBSERVERS }, (_, index) =>
    campaign({ seed: seed * OBSERVERS + index, agentYears, loss, onlyDeaths }),
  );
  const sum = (pick: (result: CampaignResult) => number) => results.reduce((all, one) => all + pick(one), 0);
  return {
    totals: {
      beats: sum(({ totals }) => totals.beats),
      received: sum(({ totals }) => totals.received),
      episodes: sum(({ totals }) => totals.episodes),
      suspected: sum(({ totals }) => totals.suspected),
      dead: sum(({ totals }) => totals.dead),
    },
    observerYears: sum(({ observerYears }) => observerYears),
    clusterDead: results[0]?.clusterDead ?? 0,
  };
}

const inBursts = (badMs: number): Loss => ({
  kind: 'bursts',
  bursts: { badMs, goodMs: 9 * badMs, goodLoss: 0.01, badLoss: 0.91 },
});

const program = new Command('detection')
  .description('False verdicts of the production detector about healthy agents behind lossy paths (docs/detection.md).')
  .option('--years <n>', 'agent-years at 10 % independent loss', positive, 1_000)
  .option('--burst-years <n>', 'agent-years for each kind of bursts, every heartbeat drawn', positive, 2)
  .option('--seed <n>', 'what decides everything', positive, 1)
  .option('--profiles', 'only the table of the profiles')
  .option('--serf', 'with Serf on this machine beside them; root and the package serf are needed')
  .option('--serf-seconds <n>', 'how long Serf is watched, under all conditions at once', positive, 2_400)
  .parse();
const { years, burstYears, seed, profiles, serf, serfSeconds } = program.opts<{
  years: number;
  burstYears: number;
  seed: number;
  profiles?: true;
  serf?: true;
  serfSeconds: number;
}>();

const SERF = { nodes: 12, crashes: 12 } as const;
const note = (text: string): void => void process.stderr.write(`… ${text}\n`);

if (profiles || serf) {
  const rates = allProfileRates({ years, burstYears, seed }, note);
  const found = serf ? await runSerf(SERF.nodes, serfSeconds, SERF.crashes) : null;
  process.stdout.write(`${profilesTable(rates, found)}\n`);
  process.exit(0);
}

const campaigns: readonly (readonly [loss: Loss, agentYears: number, onlyDeaths: boolean])[] = [
  [{ kind: 'independent', ratio: 0.1 }, years, false],
  [{ kind: 'independent', ratio: 0.1 }, years * 100, true],
  [{ kind: 'independent', ratio: 0.2 }, years / 50, false],
  [{ kind: 'independent', ratio: 0.3 }, years / 500, false],
  ...[500, 1_000, 2_000].map((badMs) => [inBursts(badMs), burstYears, false] as const),
];
for (const [loss, agentYears, onlyDeaths] of campaigns) {
  process.stderr.write(`… ${lossName(loss)}\n`);
  const startedAtMs = performance.now();
  const result = allObservers(loss, agentYears, seed, onlyDeaths);
  const seconds = (performance.now() - startedAtMs) / 1_000;
  process.stdout.write(`${campaignText(loss, result, agentYears, onlyDeaths)}\n  played in ${seconds.toFixed(1)} s\n`);
}
process.stdout.write(`${settingsTable()}\n`);
