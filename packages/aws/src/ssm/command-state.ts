import type { CommandState } from '@understudy/shared';

/**
 * `StatusDetails` in small letters without blanks: the guide writes "Delivery Timed Out", answers
 * have been seen with "DeliveryTimedOut" (Systems Manager User Guide, monitor-commands).
 */
const BY_DETAILS: Readonly<Record<string, CommandState>> = {
  pending: 'pending',
  delayed: 'delayed',
  inprogress: 'in-progress',
  cancelling: 'cancelling',
  success: 'success',
  failed: 'failed',
  deliverytimedout: 'delivery-timed-out',
  executiontimedout: 'execution-timed-out',
  undeliverable: 'undeliverable',
  terminated: 'terminated',
  cancelled: 'cancelled',
  canceled: 'cancelled',
  invalidplatform: 'invalid-platform',
  accessdenied: 'access-denied',
};

/** Where the details are new to us: what is known of the state all the same. */
const BY_STATUS: Readonly<Record<string, CommandState>> = {
  Pending: 'pending',
  Delayed: 'delayed',
  InProgress: 'in-progress',
  Cancelling: 'cancelling',
  Success: 'success',
  Failed: 'failed',
  Cancelled: 'cancelled',
  // Which of the two is not said: the one that promises less.
  TimedOut: 'delivery-timed-out',
};

/** Null: the service says neither. Pure. */
export const commandStateOf = (status: string | null, details: string | null): CommandState | null =>
  BY_DETAILS[(details ?? '').replaceAll(/[\s_-]/g, '').toLowerCase()] ?? BY_STATUS[status ?? ''] ?? null;
