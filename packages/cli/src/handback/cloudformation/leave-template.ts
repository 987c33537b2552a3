import { leaving, type StackSwap } from './stack-swap.ts';

const json = (value: unknown): string => JSON.stringify(value);

/** What `Fn::GetAtt` names of a resource, as EC2 shows it of the instance that serves (`$seen`). */
const ATTRIBUTES = String.raw`def attributes($id):
  ($seen[0] // {}) as $one
  | if $one.InstanceId == $id then
      {InstanceId: $id, PrivateIp: $one.PrivateIpAddress, PublicIp: $one.PublicIpAddress, VpcId: $one.VpcId,
       PrivateDnsName: $one.PrivateDnsName, PublicDnsName: $one.PublicDnsName, AvailabilityZone: $one.Placement.AvailabilityZone}
    else
      {VolumeId: $id, Id: $id, PrimaryPrivateIpAddress: ([$one.NetworkInterfaces[]? | select(.NetworkInterfaceId == $id)][0].PrivateIpAddress)}
    end;
def attribute($name; $of): attributes($ids[$name])[$of]
  | if . == null or . == "" then error("what Fn::GetAtt of \($name).\($of) is now is not known: write its value into 1-template.json, and run the line again") else . end;`;

/** `${Name}` and `${Name.Attribute}` in a text of `Fn::Sub`; `${!…}` is a literal. */
const TEXTS = String.raw`def value: split(".") as $path
  | if $ids[$path[0]] == null then "$" + "{" + . + "}"
    elif ($path | length) == 1 then $ids[$path[0]]
    else attribute($path[0]; $path[1:] | join(".")) end;
def told: reduce ([match("\\$\\{([^}]*)\\}"; "g")] | reverse)[] as $found
  (.; .[:$found.offset] + ($found.captures[0].string | value) + .[$found.offset + $found.length:]);`;

/**
 * A program for jq. What names a resource is told the id, or the attribute, of its successor, and
 * the resource leaves the template. It wants `--slurpfile seen` with the instance that serves, as
 * describe-instances shows it. What it cannot tell ends it with an error.
 */
export const leaveEdit = (swap: StackSwap): string => `# The template without ${leaving(swap).join(', ')}.
${json(Object.fromEntries(swap.swaps.map(({ logicalId, is }) => [logicalId, is])))} as $ids
| ${json(leaving(swap))} as $leaving
| ${ATTRIBUTES}
${TEXTS}
walk(if type != "object" or length != 1 then .
    elif (.Ref | type) == "string" and $ids[.Ref] != null then $ids[.Ref]
    elif (.["Fn::GetAtt"] | type) == "array" and $ids[.["Fn::GetAtt"][0]] != null then
      .["Fn::GetAtt"] as $path | attribute($path[0]; $path[1:] | join("."))
    elif (.["Fn::Sub"] | type) == "string" then .["Fn::Sub"] |= told
    elif (.["Fn::Sub"] | type) == "array" then .["Fn::Sub"][0] |= told
    else . end)
| .Resources |= with_entries(select(.key | IN($leaving[]) | not))
| .Resources |= map_values(
    if has("DependsOn") then .DependsOn |= ([.] | flatten - $leaving) | if .DependsOn == [] then del(.DependsOn) else . end else . end)
`;
