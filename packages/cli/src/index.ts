export { buildProgram } from './program.ts';
export { EXIT, exitCodeOf } from './exit-codes.ts';
export { tableText } from './views/format.ts';
export { HAND_BACK_TOOLS } from './handback/registered.ts';
export { readTerraformState } from './handback/terraform/read-state.ts';
export type { HandBackPapers, HandBackTool } from './handback/tool.ts';
export { handBackText } from './views/hand-back-view.ts';
