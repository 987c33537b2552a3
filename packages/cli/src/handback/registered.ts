import { CLOUDFORMATION } from './cloudformation/papers.ts';
import { TERRAFORM } from './terraform/papers.ts';
import type { HandBackTool } from './tool.ts';

/** Every tool that a hand-back has papers for. A new one is a file and a line here. */
export const HAND_BACK_TOOLS: readonly HandBackTool[] = [CLOUDFORMATION, TERRAFORM];
