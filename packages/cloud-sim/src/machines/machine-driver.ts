import type { SimInstance } from '../core/model.ts';
import type { Machine } from './machine.ts';

/** Everything that a driver is told about the machine it boots. */
export interface MachineBoot {
  readonly instance: SimInstance;
  readonly privateIp: string;
  readonly macAddress: string;
  /** Folder of the root volume. */
  readonly rootDir: string;
  /** The other volumes, each with its folder. */
  readonly dataDisks: readonly { readonly device: string; readonly dir: string }[];
  /** Folder of what is the machine's own and no disk: logs above all. It stays between boots. */
  readonly machineDir: string;
  /** Where this instance's metadata are answered. */
  readonly imdsUrl: string;
}

/**
 * How instances become something that runs. One file and one line in `drivers.ts` each. Disks are
 * folders with every driver; what is in a root volume's folder is the driver's own.
 */
export interface MachineDriver {
  /** Starts it. Null: there is nothing to start for this instance. */
  boot(boot: MachineBoot): Machine | null;
  /**
   * Copies a disk as it is in this moment, as a power cut would leave it. It is synchronous, so
   * that the moment is the one of the request.
   */
  copyDisk(from: string, to: string): void;
  /**
   * How the machine is told to start again by RebootInstances. It is booted when its process is
   * gone.
   */
  reboot(machine: Machine): void;
  /** What the end of a machine means that nobody asked for from outside. */
  endedByItself(exitCode: number | null): 'nothing' | 'power-off' | 'reboot';
}
