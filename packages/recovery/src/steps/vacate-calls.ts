import { followingAddress } from '../core/predecessor.ts';
import { movesItself } from '../core/moved-volumes.ts';
import { type CallsOf, later, laterCall, plannedCall } from '../planned-call.ts';
import { RETIRED_TAGS, retireMarks } from './done-calls.ts';

const CALLED_OFF = 'the address is given up, or the recovery is, before it was asked to end';
const NOT_MARKED = 'the role may end an instance only once it carries the mark, which is written right before';

/** What `vacate` makes: what is on the predecessor outlives it, then it ends. */
export const vacateCalls: CallsOf = ({ intent: { opId, oldInstanceId, plan } }) => {
  if (!followingAddress(plan)) return [];
  const staying = plan.volumes.filter((one) => !movesItself(one));
  const further = plan.interfaces ?? [];
  return [
    ...staying.map(({ deviceName }) =>
      plannedCall(`keep-${deviceName}`, (cloud, options) =>
        cloud.setDeleteOnTermination(oldInstanceId, deviceName, false, options),
      ),
    ),
    ...further.map(({ networkInterfaceId, attachmentId }) => {
      const attributes = {
        deleteOnTermination: { attachmentId: attachmentId ?? later('its attachment'), value: false },
      };
      return plannedCall(`bind-${networkInterfaceId}`, (cloud, options) =>
        cloud.setNetworkInterfaceAttributes(networkInterfaceId, attributes, options),
      );
    }),
    plannedCall('retire', (cloud, options) => cloud.createTags([oldInstanceId], retireMarks(opId), options)),
    ...(plan.protection.termination
      ? [
          plannedCall('unprotect', (cloud, options) =>
            cloud.setProtection(oldInstanceId, { termination: false }, options),
          ),
        ]
      : []),
    plannedCall('unretire', (cloud, options) => cloud.deleteTags([oldInstanceId], RETIRED_TAGS, options), CALLED_OFF),
    ...(plan.protection.termination
      ? [
          plannedCall(
            'protect',
            (cloud, options) => cloud.setProtection(oldInstanceId, { termination: true }, options),
            CALLED_OFF,
          ),
        ]
      : []),
    laterCall('terminate', (cloud, options) => cloud.terminateInstance(oldInstanceId, options), NOT_MARKED),
  ];
};
