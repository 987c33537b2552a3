import type { Metafile } from 'esbuild';

/** Files of which something is in a bundle; what fell out of it is not. */
export const inputsOf = ({ outputs }: Metafile): readonly string[] =>
  Object.values(outputs)
    .flatMap((output) => Object.entries(output.inputs))
    .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
    .map(([input]) => input);
