import type { Clock } from '@understudy/shared';
import type { CloudSimConfig } from '../config.ts';
import type { MachineDriver } from './machine-driver.ts';
import { NspawnDriver } from './nspawn-driver.ts';
import { ProcessDriver } from './process-driver.ts';

export interface DriverParts {
  readonly clock: Clock;
  readonly env: Readonly<Record<string, string | undefined>>;
}

type MachineConfig = CloudSimConfig['machine'];

/** Every kind of machine there is, by the name it has in the configuration. */
const DRIVERS: Readonly<Record<MachineConfig['driver'], (config: MachineConfig, parts: DriverParts) => MachineDriver>> =
  {
    process: ({ command }, { env }) => new ProcessDriver({ command, env }),
    nspawn: ({ nspawn }, { clock, env }) => {
      if (nspawn === undefined) throw new Error('machine.nspawn is checked to be there');
      return new NspawnDriver(nspawn, clock, env);
    },
  };

export const machineDriver = (config: MachineConfig, parts: DriverParts): MachineDriver =>
  DRIVERS[config.driver](config, parts);
