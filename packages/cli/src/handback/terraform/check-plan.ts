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

/**
 * A program for jq that reads `terraform show -json` of a plan, and fails where the plan does
 * anything that a hand-back must not: nothing is destroyed or replaced, no machine or disk is made,
 * nothing is changed (a record, an address or a machine could be pointed at the retired one), and
 * as much is imported as was meant.
 */
export const planCheck = (
  imports: number,
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
| ([$all[] | select(.change.importing)] | length) as $imports
| if ($harm | length) > 0 then error($harm | join("; "))
  elif $imports != ${imports} then error("\\($imports) resources would be imported, and not ${imports}")
  else "\\($imports) are imported, none is destroyed, replaced or made" end
`;
