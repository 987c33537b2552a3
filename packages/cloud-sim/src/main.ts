import { loadConfig, PinoLog, SystemClock, SystemRandom } from '@understudy/shared/node';
import { type RunningCloudSim, startCloudSim } from './cloud-sim-server.ts';
import { NOT_SIMULATED } from './core/not-simulated.ts';
import { ScriptSchema } from './script/script-schema.ts';
import { CloudSimConfigSchema } from './config.ts';

export interface RunCloudSimOptions {
  /** Path of the YAML configuration. */
  readonly configFile: string;
  /** Path of a script, YAML or JSON, that begins with the Region. */
  readonly scriptFile?: string;
}

/**
 * The `cloud-sim` process. It prints one JSON line `cloud-sim.listening` with its ports, runs until
 * SIGTERM or SIGINT, and stops its machines with it. Resolves when it listens.
 * @throws CONFIG_INVALID; the operating system's error when the port is taken
 */
export async function runCloudSim(options: RunCloudSimOptions): Promise<RunningCloudSim> {
  const config = loadConfig(CloudSimConfigSchema, options.configFile);
  // A script that cannot be read is told before anything listens.
  const script = options.scriptFile === undefined ? null : loadConfig(ScriptSchema, options.scriptFile);
  const log = PinoLog.create({ level: config.log.level, bindings: { process: 'cloud-sim' } });
  const running = await startCloudSim(config, {
    clock: new SystemClock(),
    random: new SystemRandom(),
    log,
    env: process.env,
  });
  const stop = (signal: string) => {
    log.info('cloud-sim.stopping', { signal });
    void running.close().finally(() => process.exit(0));
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  process.once('exit', () => running.killMachines());
  log.info('cloud-sim.config', { config });
  if (script) running.script.start(script);
  log.info('cloud-sim.listening', {
    url: running.url,
    port: running.port,
    dnsPort: running.dnsPort,
    region: config.region,
    notSimulated: `${NOT_SIMULATED.length} things of EC2, see /_sim/limits`,
  });
  return running;
}
