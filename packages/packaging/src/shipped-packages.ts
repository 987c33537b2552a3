import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import type { Integrities } from './lockfile.ts';

/** Somebody else's package, parts of which are in what we ship. */
export interface ShippedPackage {
  readonly name: string;
  readonly version: string;
  /** SPDX expression, as its manifest says. */
  readonly licence: string;
  readonly description: string;
  /**
   * `sha512-…` of its archive, from the lockfile; null where it is not there (never, a test says).
   */
  readonly integrity: string | null;
  /** Texts of its LICENSE and NOTICE files. */
  readonly licenceTexts: readonly string[];
}

const ManifestSchema = z.object({
  name: z.string(),
  version: z.string(),
  description: z.string().default(''),
  license: z.string().optional(),
});

/** The folder of a package that an input lies in: up to the name after the last `node_modules`. */
const PACKAGE_FOLDER = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//;
const LICENCE_FILE = /^(?:licen[cs]e|copying|notice)(?:[.-].*)?$/i;

/**
 * Inputs of a bundle (paths below the checkout) → the packages they come from, by name and version.
 */
export function shippedPackages(
  root: string,
  inputs: readonly string[],
  integrities: Integrities,
): readonly ShippedPackage[] {
  const folders = new Set(inputs.flatMap((input) => PACKAGE_FOLDER.exec(input)?.[1] ?? []));
  return togetherOf(
    [...folders].map((folder) => readPackage(join(root, folder), integrities)),
    [],
  );
}

/** Both lists as one, each package once. */
export function togetherOf(
  one: readonly ShippedPackage[],
  other: readonly ShippedPackage[],
): readonly ShippedPackage[] {
  const byId = new Map([...one, ...other].map((each) => [`${each.name}@${each.version}`, each]));
  return [...byId].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, each]) => each);
}

function readPackage(folder: string, integrities: Integrities): ShippedPackage {
  const { name, version, description, license } = ManifestSchema.parse(
    JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')),
  );
  if (license === undefined) throw new Error(`${name}@${version} says no licence in its package.json: look into it`);
  const integrity = integrities.get(`${name}@${version}`) ?? null;
  return { name, version, description, licence: license, integrity, licenceTexts: licenceTexts(folder) };
}

const licenceTexts = (folder: string): readonly string[] =>
  existsSync(folder)
    ? readdirSync(folder, { withFileTypes: true })
        .filter((entry) => entry.isFile() && LICENCE_FILE.test(entry.name))
        .map((entry) => readFileSync(join(folder, entry.name), 'utf8').trim())
        .sort()
    : [];

/** What their licences ask to be handed on: each name, its licence and its notices. */
export function thirdPartyLicences(packages: readonly ShippedPackage[]): string {
  const intro = 'Parts of these packages are in this one, under these licences.\n';
  const chapters = packages.map(({ name, version, licence, licenceTexts: texts }) => {
    const notices = texts.length > 0 ? texts : ['It brings no text of it.'];
    return [`${'='.repeat(78)}\n${name} ${version}: ${licence}\n${'='.repeat(78)}`, ...notices].join('\n\n');
  });
  return `${[intro, ...chapters].join('\n')}\n`;
}
