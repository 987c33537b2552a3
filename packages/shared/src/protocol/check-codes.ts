/** Why a check does not pass: one byte on the wire. Numbers are never reused. */
export const CHECK_CODES = {
  none: 0,
  deadlineExceeded: 1,
  // network
  gatewayUnreachable: 10,
  dnsUnreachable: 11,
  coordinatorsUnreachable: 12,
  noDefaultRoute: 13,
  dnsFailing: 14,
  // storage
  deviceMissing: 20,
  readOnly: 21,
  spaceLow: 22,
  inodesLow: 23,
  writeFailed: 24,
  probeHung: 25,
  notMounted: 26,
  // metadata
  imdsUnreachable: 30,
  imdsThrottled: 31,
  instanceIdChanged: 32,
  spotNotice: 33,
  maintenanceScheduled: 34,
  rebalanceRecommended: 35,
  // pressure
  cpuPressure: 40,
  memoryPressure: 41,
  // clock
  clockStepped: 45,
  // hooks and custom
  commandFailed: 50,
  httpFailed: 51,
  tcpFailed: 52,
} as const;

export type CheckCode = keyof typeof CHECK_CODES;

const NAMES: ReadonlyMap<number, CheckCode> = new Map(
  Object.entries(CHECK_CODES).map(([name, code]) => [code, name as CheckCode]),
);

export const checkCodeName = (code: number): CheckCode | `code-${number}` => NAMES.get(code) ?? `code-${code}`;
