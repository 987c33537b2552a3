/** What is said of members while their recovery is open, of one and of several. */
export interface RecoveryWords {
  readonly one: string;
  readonly many: string;
}

const words = (what: string): RecoveryWords => ({ one: `is ${what}`, many: `are ${what}` });

const BY_STRATEGY: Readonly<Record<string, RecoveryWords>> = {
  reboot: words('being rebooted'),
  'stop-start': words('being stopped and started'),
  undo: words('being put back on the retired instance'),
};

const REPLACED = words('being replaced');

/** By the strategy of the plan; any that is not named here launches another instance. */
export const recoveryWords = (strategy: string): RecoveryWords => BY_STRATEGY[strategy] ?? REPLACED;
