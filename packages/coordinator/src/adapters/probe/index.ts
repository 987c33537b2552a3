export { serviceProbes } from './service-probes.ts';
