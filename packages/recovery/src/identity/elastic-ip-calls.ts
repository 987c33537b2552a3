import { type CallsOf, laterCall, plannedCall } from '../planned-call.ts';
import { LATER_PERMIT } from '../steps/attempt-calls.ts';

/** What the move of one Elastic IP makes. */
export const elasticIpCalls: CallsOf = ({ intent: { plan }, key: { item } }) => {
  const associationId = plan.addresses.find((one) => one.allocationId === item)?.associationId ?? null;
  const request = { allocationId: item, networkInterfaceId: LATER_PERMIT, privateIp: null };
  return [
    ...(associationId === null
      ? []
      : [plannedCall('disassociate', (cloud, options) => cloud.disassociateAddress(associationId, options))]),
    laterCall(
      'associate',
      (cloud, options) => cloud.associateAddress(request, options),
      'it puts the address on the interface of the replacement, which the recovery makes',
    ),
  ];
};
