import { parseArgs } from 'node:util';
import { type Configuration, CONFIGURATIONS } from './configurations.ts';
import { resultTable } from './result-table.ts';
import { agrees, DEEP_BOUNDS, type SearchResult, TEST_BOUNDS } from './search.ts';
import { searchAll } from './search-all.ts';
import { missingTools } from './tools.ts';
import { trailOf } from './trail.ts';

/**
 * `pnpm run model [part of a name] [--deep] [--trail NAME]`. Exit code 1: a result differs from the
 * expected one.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { deep: { type: 'boolean', default: false }, trail: { type: 'string' } },
});

const wanted = (configuration: Configuration): boolean =>
  positionals.length > 0
    ? positionals.some((part) => configuration.name.includes(part))
    : values.deep || configuration.deep !== true;

async function printTrail(name: string): Promise<number> {
  const configuration = CONFIGURATIONS.find((one) => one.name === name);
  if (configuration === undefined) {
    console.error(`no configuration "${name}"; there are ${CONFIGURATIONS.map((one) => one.name).join(', ')}`);
    return 2;
  }
  console.log(await trailOf(configuration, TEST_BOUNDS));
  return 0;
}

async function printTable(): Promise<number> {
  const results = new Map<string, SearchResult>();
  let failed = false;
  const chosen = CONFIGURATIONS.filter(wanted);
  await searchAll(chosen, values.deep ? DEEP_BOUNDS : TEST_BOUNDS, (configuration, outcome) => {
    console.error(`… ${configuration.name}`);
    if (outcome instanceof Error) console.error(outcome.message);
    else results.set(configuration.name, outcome);
    failed ||= outcome instanceof Error || !agrees(outcome);
  });
  console.log(resultTable(chosen.flatMap(({ name }) => results.get(name) ?? [])));
  return failed ? 1 : 0;
}

const missing = missingTools();
if (missing !== null) {
  console.error(`skipped: ${missing}`);
  process.exitCode = 3;
} else {
  process.exitCode = values.trail === undefined ? await printTable() : await printTrail(values.trail);
}
