import { colourOf } from './colour-choice.ts';

// This module is imported before any other, because the library of colours decides when it is
// loaded, and reads its own choice from this variable.
const choice = colourOf(process.argv, process.env, process.stdout.isTTY);
if (choice !== null) process.env.FORCE_COLOR = choice ? '1' : '0';
