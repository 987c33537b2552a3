/** Arguments that only say how Terraform works, or what tags there are. */
const HARMLESS = [
  ...['tags', 'tags_all', 'volume_tags', 'timeouts', 'user_data_replace_on_change', 'force_destroy'],
  ...['final_snapshot', 'private_ip_list_enabled', 'skip_destroy', 'force_detach', 'stop_instance_before_detaching'],
];

/** Made anew they would be a second machine, or a disk without its content. */
const NEVER_MADE = [
  'aws_instance',
  'aws_ebs_volume',
  'aws_network_interface',
  'aws_volume_attachment',
  'aws_network_interface_attachment',
];

/** What a plan is to import. */
export interface PlannedImport {
  /** Terraform's name of the type. */
  readonly type: string;
  /** What it is imported by. */
  readonly id: string;
}

/**
 * A program for jq that reads `terraform show -json` of a plan, and fails where the plan does
 * anything that a hand-back must not: nothing is destroyed or replaced, no machine or disk is made,
 * nothing is changed (a record, an address or a machine could be pointed at the retired one), and
 * what is imported is exactly what was meant, by its type and id: another one of the same number
 * would be a stranger's machine in the code.
 */
export const planCheck = (
  imports: readonly PlannedImport[],
): string => `# Reads a plan (terraform show -json). It ends with an error where the plan would do harm.
def changed: (.change.before // {}) as $b | (.change.after // {}) as $a | [$a | keys[] | select($b[.] != $a[.])];
def harm:
  if (.change.actions | index("delete")) then "would be destroyed or replaced"
  elif .change.actions == ["create"] and (.type | IN(${NEVER_MADE.map((one) => JSON.stringify(one)).join(', ')})) then "would be made anew"
  elif .change.actions == ["update"] and (changed - ${JSON.stringify(HARMLESS)} | length > 0) then
    "would be changed: \\(changed - ${JSON.stringify(HARMLESS)} | join(", ")). Write what is there now into the code, or ignore_changes"
  else empty end;
[.resource_changes[]? | select(.mode == "managed")] as $all
| [$all[] | . as $one | harm | "\\($one.address) \\(.)"] as $harm
| [$all[] | select(.change.importing) | "\\(.type) \\(.change.importing.id)"] as $imports
| ${JSON.stringify(imports.map(({ type, id }) => `${type} ${id}`))} as $meant
| if ($harm | length) > 0 then error($harm | join("; "))
  elif ($imports - $meant | length) > 0 then error("would be imported, and was not meant: \\($imports - $meant | join(", "))")
  elif ($meant - $imports | length) > 0 then error("would not be imported: \\($meant - $imports | join(", "))")
  elif ($imports | length) != ($meant | length) then error("would be imported twice: \\($imports | join(", "))")
  else "\\($imports | length) are imported, none is destroyed, replaced or made" end
`;
