import type { BuildInfo } from './build-info.ts';
import type { Labels } from './options.ts';

/** What a maker may use. */
export interface Workshop {
  readonly build: BuildInfo;
  /** Light compression. */
  readonly fast: boolean;
  /** Where artefacts go. */
  readonly out: string;
  /** A fresh folder of its own for one artefact's files, to be removed by whoever took it. */
  readonly stage: (name: string) => string;
}

/** One file that is shipped. */
export interface Artefact {
  readonly file: string;
  readonly labels: Labels;
  /** Writes it, as `<out>/<file>`. */
  readonly make: (workshop: Workshop) => Promise<void>;
}
