import type { Cloud, CloudCallOptions } from '@understudy/shared';
import type { ChoreCall } from '../core/chores.ts';

/** Sends what a chore needs. Idempotent; @throws as the calls of {@link Cloud} do. */
export function sendChore(cloud: Cloud, call: ChoreCall, asked: CloudCallOptions): Promise<void> {
  const options = { ...asked, urgency: 'chore' } as const;
  switch (call.kind) {
    case 'tag':
      return cloud.createTags([call.resourceId], call.tags, options);
    case 'bind': {
      const { networkInterfaceId, attachmentId } = call;
      const attributes = { deleteOnTermination: { attachmentId, value: true } };
      return cloud.setNetworkInterfaceAttributes(networkInterfaceId, attributes, options);
    }
    case 'bind-disk':
      return cloud.setDeleteOnTermination(call.instanceId, call.deviceName, true, options);
    case 'reboot-migration':
      return cloud.setRebootMigration(call.instanceId, call.value, options);
    case 'dns-records':
      return cloud.setDnsRecords(call.instanceId, { a: call.a, aaaa: call.aaaa }, options);
    case 'protect':
      return cloud.setProtection(call.instanceId, call.protection, options);
  }
}
