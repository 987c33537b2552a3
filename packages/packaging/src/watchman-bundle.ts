import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import type { Artefact } from './artefact.ts';
import type { BuildInfo } from './build-info.ts';
import { inputsOf } from './bundle-inputs.ts';
import { COMMONJS_NAMES } from './coordinator-bundle.ts';
import { readIntegrities } from './lockfile.ts';
import { shippedPackages, thirdPartyLicences } from './shipped-packages.ts';

/** The watchman as one module, with the licences of what is in it at its end. */
export async function watchmanModule(root: string): Promise<string> {
  const { outputFiles, metafile } = await build({
    absWorkingDir: root,
    entryPoints: ['packages/watchman/src/main.ts'],
    outfile: join(root, 'index.mjs'),
    bundle: true,
    write: false,
    metafile: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    conditions: ['source'],
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'none',
    logLevel: 'error',
    banner: { js: COMMONJS_NAMES },
  });
  const packages = shippedPackages(root, inputsOf(metafile), readIntegrities(root));
  const licences = thirdPartyLicences(packages).replaceAll('*/', '* /');
  return `${outputFiles.map(({ text }) => text).join('')}\n/*\n${licences}*/\n`;
}

/** One file, zipped as `index.mjs` with the authority of the coordinators' certificates. */
export const watchmanArtefact = ({ root, version }: BuildInfo): Artefact => {
  const file = `understudy-watchman-${version}.mjs`;
  const make: Artefact['make'] = async ({ out }) => writeFile(join(out, file), await watchmanModule(root));
  return { file, labels: { format: 'lambda', part: 'watchman' }, make };
};
