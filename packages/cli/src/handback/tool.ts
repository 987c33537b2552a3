import type { HandBackView } from '@understudy/shared';
import type { TerraformResource } from './terraform/read-state.ts';

/** What a person gives beside what the coordinators know. */
export interface HandBackGiven {
  readonly view: HandBackView;
  /** The stack that made the instance, and its name there. Null: as its tags say. */
  readonly stack: string | null;
  readonly logicalId: string | null;
  /** Further resources of the stack that leave it and are kept: attachments, associations. */
  readonly leave: readonly string[];
  /** What a Terraform state names. Null: none was given. */
  readonly state: readonly TerraformResource[] | null;
}

/** One thing to do, in its order. */
export interface HandBackStep {
  readonly title: string;
  /** Why, or what to see before going on. */
  readonly text: string;
  /** To be written into the code by hand. */
  readonly edits: readonly string[];
  /** One line each. A line that changes anything checks what it would change before, and stops. */
  readonly commands: readonly string[];
}

/** The exact commands and files with which one tool takes over what a recovery has made. */
export interface HandBackPapers {
  readonly notes: readonly string[];
  readonly steps: readonly HandBackStep[];
  readonly files: readonly { readonly name: string; readonly text: string }[];
}

/** One tool for infrastructure as code. Its papers are for people: we run nothing of them. */
export interface HandBackTool {
  readonly name: string;
  readonly title: string;
  papers(given: HandBackGiven): HandBackPapers;
}
