import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorText, type HandBackView, HandBackViewSchema, OperationError, parseMemberId } from '@understudy/shared';
import { Option } from 'commander';
import type { CommandDefinition } from '../command-definition.ts';
import { ControlClient } from '../control/control-client.ts';
import { HAND_BACK_TOOLS } from '../handback/registered.ts';
import { readTerraformState, type TerraformResource } from '../handback/terraform/read-state.ts';
import type { HandBackPapers, HandBackTool } from '../handback/tool.ts';
import { collect, pathOf } from '../inventory/questions.ts';
import type { ReadOptions } from '../options/output-options.ts';
import { complain, print, shownJson, shownOf } from '../terminal.ts';
import { handBackText, papersText } from '../views/hand-back-view.ts';

interface HandBackOptions extends ReadOptions {
  readonly tool?: string;
  readonly fromRecovery?: string;
  readonly terraform?: string;
  readonly stack?: string;
  readonly logicalId?: string;
  readonly leave?: readonly string[];
  readonly folder?: string;
}

/** More than any state that a person keeps in one file. */
const STATE_BYTES_MAX = 200 * 1_024 * 1_024;

function stateOf(file: string | undefined): readonly TerraformResource[] | null {
  if (file === undefined) return null;
  let text: string;
  try {
    if (statSync(file).size > STATE_BYTES_MAX)
      throw new OperationError('CONFIG_INVALID', `--terraform: ${file} is larger than 200 MiB`);
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    if (cause instanceof OperationError) throw cause;
    throw new OperationError('CONFIG_INVALID', `--terraform: cannot read ${file}: ${errorText(cause)}`, { cause });
  }
  return readTerraformState(text, file);
}

function papersOf(view: HandBackView, options: HandBackOptions) {
  const tool = HAND_BACK_TOOLS.find(({ name }) => name === options.tool);
  if (tool === undefined) {
    if (options.folder === undefined) return null;
    throw new OperationError('CONFIG_INVALID', '--folder wants --tool');
  }
  const { stack = null, logicalId = null, leave = [] } = options;
  const papers = tool.papers({ view, stack, logicalId, leave, state: stateOf(options.terraform) });
  return { tool, papers };
}

/** Files that are there already are somebody's: none is written over. */
function writeFiles(folder: string, tool: HandBackTool, papers: HandBackPapers): void {
  const steps = { name: 'STEPS.txt', text: shownOf(papers, (shown) => `${papersText(tool, shown)}\n`) };
  try {
    mkdirSync(folder, { recursive: true });
    for (const { name, text } of [steps, ...papers.files]) writeFileSync(join(folder, name), text, { flag: 'wx' });
  } catch (cause) {
    throw new OperationError('CONFIG_INVALID', `--folder: ${errorText(cause)}`, { cause });
  }
  complain(`understudy: ${papers.files.length + 1} files are in ${folder}; none was run`);
}

export const handback: CommandDefinition = {
  name: 'handback',
  summary: 'how CloudFormation or Terraform takes over what a recovery has made: what drifted, and the exact commands',
  kind: 'read',
  watch: false,
  examples: [
    { line: 'understudy handback db/one', what: 'what its code names, and what is there now' },
    {
      line: 'understudy handback db/one --tool cloudformation --folder handback',
      what: 'change sets that import the successor, each checked before it is executed; we run none of them',
    },
    {
      line: 'understudy handback db/one --tool terraform --terraform terraform.tfstate --folder handback',
      what: 'import, removed and moved blocks, by the names that the state has',
    },
  ],
  define: (command, context) => {
    command
      .argument('<member>', 'group/name')
      .addOption(new Option('--tool <tool>', 'which tool').choices(HAND_BACK_TOOLS.map(({ name }) => name)))
      .option('--from-recovery <recovery>', 'the first recovery that was not handed back (default: only the last one)')
      .option('--terraform <file>', 'a state: from `terraform state pull`, or from `terraform show -json`')
      .option('--stack <name>', 'the CloudFormation stack, where no tag of the instance says so')
      .option('--logical-id <name>', 'the name of the instance in it')
      .option('--leave <name>', 'a further resource of the stack that leaves it and is kept; may be repeated', collect)
      .option('--folder <folder>', 'write the files and the steps there; no file is written over')
      .action(async (text: string, options: HandBackOptions) => {
        const { member } = parseMemberId(text);
        const path = pathOf(`/v1/members/${member}/handback`, { since: options.fromRecovery });
        const view = await new ControlClient(context, options).read(HandBackViewSchema, path);
        const found = papersOf(view, options);
        if (found && options.folder !== undefined) writeFiles(options.folder, found.tool, found.papers);
        const shown = { ...view, papers: found && { tool: found.tool.name, ...found.papers } };
        print(
          options.json === true
            ? shownJson(shown, 2)
            : shownOf({ view, papers: found?.papers ?? null }, (one) =>
                handBackText(one.view, found && one.papers ? { tool: found.tool, papers: one.papers } : null),
              ),
        );
      });
  },
};
