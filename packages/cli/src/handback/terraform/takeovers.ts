import type { HandBackResource, HandBackView } from '@understudy/shared';
import type { TerraformResource } from './read-state.ts';

/** A resource of the state that is another one now. */
export interface Takeover {
  readonly resource: TerraformResource;
  /** What it is imported by. Null: it is only forgotten, as nothing can be imported for it. */
  readonly importId: string | null;
  readonly why: string;
}

type Values = TerraformResource['values'];

const text = (values: Values, name: string): string | null => {
  const value = values[name];
  return typeof value === 'string' && value !== '' ? value : null;
};

class Replaced {
  readonly #view: HandBackView;

  constructor(view: HandBackView) {
    this.#view = view;
  }

  /** The row of what the state names. Null: it is nothing of this member, or is still the same. */
  row(kind: HandBackResource['kind'], id: string | null): HandBackResource | null {
    return this.#view.resources.find((one) => one.kind === kind && one.was === id && one.is !== null) ?? null;
  }

  other(kind: HandBackResource['kind'], id: string | null): string | null {
    const row = this.row(kind, id);
    return row?.fate === 'replaced' ? row.is : null;
  }

  /** An instance that was named, and is another one now. */
  instance(id: string | null): string | null {
    return this.other('instance', id);
  }
}

interface Rule {
  readonly types: readonly string[];
  /** Null: the resource is what it was, or is not ours. */
  readonly takeover: (values: Values, replaced: Replaced) => Omit<Takeover, 'resource'> | null;
}

const byOwnId = (kind: HandBackResource['kind']): Rule['takeover'] => {
  return (values, replaced) => {
    const importId = replaced.other(kind, text(values, 'id'));
    return importId === null ? null : { importId, why: `${text(values, 'id') ?? ''} is ${importId} now` };
  };
};

/** `DEVICE:VOLUME:INSTANCE` (provider documentation of `aws_volume_attachment`). */
function volumeAttachment(values: Values, replaced: Replaced): Omit<Takeover, 'resource'> | null {
  const instanceId = replaced.instance(text(values, 'instance_id'));
  if (instanceId === null) return null;
  const volume = replaced.row('volume', text(values, 'volume_id'));
  const volumeId = volume?.is ?? null;
  const device = volume?.place ?? text(values, 'device_name');
  if (volumeId === null || device === null)
    return { importId: null, why: `nothing takes the place of its volume on ${instanceId}` };
  return { importId: `${device}:${volumeId}:${instanceId}`, why: `${volumeId} is attached to ${instanceId}` };
}

function interfaceAttachment(values: Values, replaced: Replaced): Omit<Takeover, 'resource'> | null {
  const instanceId = replaced.instance(text(values, 'instance_id'));
  if (instanceId === null) return null;
  const row = replaced.row('interface', text(values, 'network_interface_id'));
  return { importId: row?.attachment ?? null, why: `it is attached to ${instanceId}` };
}

function association(values: Values, replaced: Replaced): Omit<Takeover, 'resource'> | null {
  const address = replaced.row('address', text(values, 'allocation_id'));
  if (address?.fate !== 'moved') return null;
  return { importId: address.attachment, why: `${address.place ?? ''} is associated with another instance` };
}

/** There is nothing to import it by: to register a target again changes nothing. */
function target(values: Values, replaced: Replaced): Omit<Takeover, 'resource'> | null {
  const instanceId = replaced.instance(text(values, 'target_id'));
  return instanceId === null ? null : { importId: null, why: `${instanceId} is registered in its place` };
}

function instanceState(values: Values, replaced: Replaced): Omit<Takeover, 'resource'> | null {
  const importId = replaced.instance(text(values, 'instance_id'));
  return importId === null ? null : { importId, why: `it is about ${importId} now` };
}

/** Types of the AWS provider whose id is another one after a recovery. A new one is a row. */
const RULES: readonly Rule[] = [
  { types: ['aws_instance'], takeover: byOwnId('instance') },
  { types: ['aws_ebs_volume'], takeover: byOwnId('volume') },
  { types: ['aws_network_interface'], takeover: byOwnId('interface') },
  { types: ['aws_volume_attachment'], takeover: volumeAttachment },
  { types: ['aws_network_interface_attachment'], takeover: interfaceAttachment },
  { types: ['aws_eip_association'], takeover: association },
  { types: ['aws_ec2_instance_state'], takeover: instanceState },
  { types: ['aws_lb_target_group_attachment', 'aws_alb_target_group_attachment'], takeover: target },
];

/** What of a state is another resource now, in the order of the state. */
export function takeoversIn(state: readonly TerraformResource[], view: HandBackView): readonly Takeover[] {
  const replaced = new Replaced(view);
  return state.flatMap((resource) => {
    const rule = RULES.find(({ types }) => types.includes(resource.address.type));
    const found = rule?.takeover(resource.values, replaced);
    return found ? [{ resource, ...found }] : [];
  });
}
