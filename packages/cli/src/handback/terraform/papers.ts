import { type HandBackView, harmlessText } from '@understudy/shared';
import { inTurn, shellWord } from '../shell-word.ts';
import type { HandBackGiven, HandBackPapers, HandBackStep, HandBackTool } from '../tool.ts';
import { addressText, hasKey, type TerraformAddress } from './address.ts';
import { planCheck, type PlannedImport } from './check-plan.ts';
import { hclText, hclValue } from './hcl-text.ts';
import { type Takeover, takeoversIn } from './takeovers.ts';

/** A takeover with the address that its successor is imported at. */
interface Placed extends Takeover {
  readonly from: string;
  /** Another one where the block gets another name for a while. */
  readonly to: string;
  readonly isRenamed: boolean;
}

/** A name that no block has yet: it ends with the id of the instance that serves. */
const renamed = (address: TerraformAddress, instanceId: string): TerraformAddress => ({
  ...address,
  name: `${address.name}_${instanceId.replaceAll(/[^A-Za-z0-9_]/g, '_')}`,
});

function placed(takeover: Takeover, instanceId: string): Placed {
  const { address } = takeover.resource;
  const isRenamed = !hasKey(address);
  const to = isRenamed ? renamed(address, instanceId) : address;
  return { ...takeover, from: addressText(address), to: addressText(to), isRenamed };
}

const removedBlock = ({ from }: Placed): string => `removed {
  from = ${from}

  lifecycle {
    destroy = false
  }
}
`;

const importBlock = ({ to, importId }: Placed): string => `import {
  to = ${to}
  id = ${hclText(importId ?? '')}
}
`;

const movedBlock = ({ from, to }: Placed): string => `moved {
  from = ${to}
  to   = ${from}
}
`;

/** The end of its two names, `aws_lb_…` and `aws_alb_…`. */
const TARGET = 'lb_target_group_attachment';

const PLAN = 'handback.tfplan';

/** Applied is exactly the plan that was checked, and only after the check. */
const checkedApply = (check: string): string =>
  inTurn([
    `terraform plan -out=${PLAN}`,
    `terraform show -json ${PLAN} > handback-plan.json`,
    `jq -e -r -f ${check} handback-plan.json`,
    `terraform apply ${PLAN}`,
  ]);

/** Arguments of the instance that are other ones now. */
const argumentEdits = ({ drift }: HandBackView): readonly string[] =>
  drift.map(({ argument, was, is }) => `${argument} = ${hclValue(is)} # was ${hclValue(was)}`);

function takeOverStep(all: readonly Placed[], view: HandBackView): HandBackStep {
  const renames = all.filter(({ isRenamed }) => isRenamed);
  const instance = all.find(({ resource }) => resource.address.type === 'aws_instance');
  return {
    title: 'take over, in one plan',
    text: 'lay takeover.tf beside the code of the root module, and make the edits. The plan must import what is there, forget the predecessors, and destroy nothing; it is applied only where check.jq says so',
    edits: [
      ...renames.map(({ from, to, importId }) =>
        importId === null
          ? `${from}: take its block out of the code for this plan`
          : `${from}: rename its block, and what refers to it, so that it is ${to}`,
      ),
      ...(instance === undefined
        ? []
        : [
            ...argumentEdits(view).map((line) => `${instance.to}: where the code names it: ${line}`),
            `${instance.to}: lifecycle { ignore_changes = [user_data, user_data_base64] } where the code names user data: a change of it stops the machine`,
          ]),
    ],
    commands: [checkedApply('check.jq')],
  };
}

/** A state may name single instances of a resource, and blocks cannot. */
function forgetStep(all: readonly Placed[]): readonly HandBackStep[] {
  const keyed = all.filter(({ isRenamed }) => !isRenamed);
  if (keyed.length === 0) return [];
  const addresses = keyed.map(({ from }) => shellWord(from)).join(' ');
  return [
    {
      title: 'forget the predecessors that count or for_each names',
      text: 'a removed block cannot name one of several. Until the next step is done, nobody else may apply this code: it would make a second machine. It takes the state only, and a copy of it is kept',
      edits: [],
      commands: [
        inTurn([
          'terraform state pull > handback-before.tfstate',
          `terraform state rm -dry-run ${addresses}`,
          `terraform state rm ${addresses}`,
        ]),
      ],
    },
  ];
}

function nameBackStep(all: readonly Placed[]): readonly HandBackStep[] {
  const renames = all.filter(({ isRenamed, importId }) => isRenamed && importId !== null);
  const [first] = renames;
  if (first === undefined) return [];
  return [
    {
      title: 'give the names back',
      text: 'take takeover.tf away, lay name-back.tf there instead, and give each block its old name again. The plan must move, and do nothing else. Afterwards both files can go',
      edits: [
        ...renames.map(({ from, to }) => `${to}: rename its block, and what refers to it, so that it is ${from} again`),
        ...all
          .filter(({ importId, resource }) => importId === null && resource.address.type.endsWith(TARGET))
          .map(({ from }) => `${from}: its block back again: to register the instance once more changes nothing`),
      ],
      commands: [checkedApply('check-name-back.jq')],
    },
  ];
}

const NO_STATE: HandBackPapers = {
  notes: [],
  files: [],
  steps: [
    {
      title: 'let Terraform say what its names are',
      text: 'only its state knows them. The file may hold secrets: it is read where this command runs, and goes nowhere',
      edits: [],
      commands: ['terraform state pull > terraform.tfstate'],
    },
    {
      title: 'ask again',
      text: 'with --terraform FILE',
      edits: [],
      commands: [],
    },
  ],
};

/** The state may name an instance that an earlier recovery has replaced. */
function namedByState({ view, state }: HandBackGiven): string | null {
  const ids = new Set(state?.map(({ values }) => values['id']));
  const known = ids.has(view.resources[0]?.was) ? undefined : view.earlier.find(({ was }) => ids.has(was));
  return known === undefined
    ? null
    : `the state names ${known.was}, which ${known.opId} has replaced: it was not handed back, so ask with --from-recovery ${known.opId}`;
}

const UP_TO_DATE = 'the state names nothing that is another resource now: it is up to date, or of something else';

const plannedImport = ({ resource, importId }: Placed): PlannedImport => {
  return { type: resource.address.type, id: importId ?? '' };
};

/** A terminal would obey a key with such characters, or hide them: it is shown, and left alone. */
const isHarmless = ({ from }: Placed): boolean => harmlessText(from) === from;

function papers(given: HandBackGiven): HandBackPapers {
  const { view, state } = given;
  if (!view.isDue) return { notes: [], steps: [], files: [] };
  if (state === null) return NO_STATE;
  const instanceId = view.resources[0]?.is ?? null;
  const older = namedByState(given);
  if (older !== null) return { notes: [older], steps: [], files: [] };
  const found = takeoversIn(state, view).map((one) => placed(one, instanceId ?? ''));
  const all = found.filter(isHarmless);
  const strange = found.filter((one) => !isHarmless(one)).map(({ from }) => `${from}: left to you, for its key`);
  if (all.length === 0 || instanceId === null) return { notes: [...strange, UP_TO_DATE], steps: [], files: [] };
  const imported = all.filter(({ importId }) => importId !== null);
  const renames = all.filter(({ isRenamed }) => isRenamed);
  const back = nameBackStep(all);
  return {
    notes: [
      'removed blocks need Terraform 1.7, import blocks 1.5; the checks need jq',
      ...strange,
      ...all.map(({ from, why, importId }) => `${from}: ${why}${importId === null ? '; it is only forgotten' : ''}`),
    ],
    steps: [...forgetStep(all), takeOverStep(all, view), ...back],
    files: [
      { name: 'takeover.tf', text: [...renames.map(removedBlock), ...imported.map(importBlock)].join('\n') },
      { name: 'check.jq', text: planCheck(imported.map(plannedImport)) },
      ...(back.length === 0
        ? []
        : [
            {
              name: 'name-back.tf',
              text: renames
                .filter(({ importId }) => importId !== null)
                .map(movedBlock)
                .join('\n'),
            },
            { name: 'check-name-back.jq', text: planCheck([]) },
          ]),
    ],
  };
}

export const TERRAFORM: HandBackTool = { name: 'terraform', title: 'Terraform', papers };
