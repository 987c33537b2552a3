/**
 * `npm run package`: makes what is shipped, in dist/packages: tarballs, .deb, .rpm, checksums and a
 * bill of materials (docs/packaging.md). Arguments go on to it.
 */
import { runMain } from './run.mjs';
import { runSource } from './run-source.mjs';

await runMain(() => runSource('packages/packaging/src/main.ts', process.argv.slice(2)));
