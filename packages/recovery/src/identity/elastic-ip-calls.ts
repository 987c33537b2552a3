import { unlessEnded } from '../core/predecessor.ts';
import { type CallsOf, laterCall, plannedCall, triedOnInterface } from '../planned-call.ts';
import { LATER_PERMIT } from '../steps/attempt-calls.ts';

/** What the move of one Elastic IP makes. */
export const elasticIpCalls: CallsOf = (about) => {
  const {
    intent: { plan },
    key: { item },
  } = about;
  const { associationId = null, target } = plan.addresses.find((one) => one.allocationId === item) ?? {};
  const networkInterfaceId = target?.networkInterfaceId ?? LATER_PERMIT;
  const request = { allocationId: item, networkInterfaceId, privateIp: target?.privateIp ?? null };
  // It stays with an interface that moves whole.
  if ((target?.networkInterfaceId ?? null) !== null) return [];
  return [
    ...(associationId === null
      ? []
      : [
          plannedCall(
            'disassociate',
            (cloud, options) => cloud.disassociateAddress(associationId, options),
            unlessEnded(plan),
          ),
        ]),
    triedOnInterface(
      laterCall(
        'associate',
        (cloud, options) => cloud.associateAddress(request, options),
        'it puts the address on the interface of the replacement, which the recovery makes',
      ),
      about,
      (id) => (cloud, options) => cloud.associateAddress({ ...request, networkInterfaceId: id }, options),
    ),
  ];
};
