import type { CloudSim } from './cloud-sim.ts';
import { inProcessService } from './in-process-service.ts';
import type { Ec2Transport } from './transport.ts';

/**
 * The simulated KMS without a network, with the shapes and errors of the SDK's client over HTTP.
 */
export const inProcessKms = (sim: CloudSim, options: { readonly reader?: string } = {}): Ec2Transport =>
  inProcessService(sim, 'kms', options);
