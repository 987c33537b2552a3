import type { Configuration } from './configurations.ts';

const rules = ['S12'] as const;

/**
 * What is assigned to an interface, and has no id but that: secondary private addresses, IPv6
 * addresses, prefixes.
 */
export const BY_INTERFACE: readonly Configuration[] = [
  {
    name: 'endpoint-by-interface',
    model: 'endpoint',
    switches: ['BY_INTERFACE'],
    properties: ['PROPERTY_ACTIVATED_KEEPS', 'PROPERTY_THIRD_PARTY_KEEPS', 'PROPERTY_SETTLES'],
    expected: 'holds',
    rules: [...rules, 'I6'],
    shows: 'an assigned address, which has no id but its interface: two recoveries in a row, late calls',
  },
  {
    name: 'endpoint-by-interface-without-conditional-call',
    model: 'endpoint',
    switches: ['BY_INTERFACE', 'WITHOUT_CONDITIONAL_CALL'],
    properties: ['PROPERTY_ACTIVATED_KEEPS'],
    expected: 'counterexample',
    rules,
    shows: 'a late AssignPrivateIpAddresses with AllowReassignment flips the address back after the second recovery',
  },
  {
    name: 'endpoint-by-interface-without-owner-check',
    model: 'endpoint',
    switches: ['BY_INTERFACE', 'WITHOUT_OWNER_CHECK'],
    properties: ['PROPERTY_THIRD_PARTY_KEEPS'],
    expected: 'counterexample',
    rules,
    shows: 'what a third party holds is recorded and taken',
  },
];
