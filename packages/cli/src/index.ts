export { buildProgram } from './program.ts';
export { EXIT, exitCodeOf } from './exit-codes.ts';
export { tableText } from './views/format.ts';
