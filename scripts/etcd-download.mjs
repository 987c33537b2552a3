import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { archiveUri, configuredSources } from './apt-sources.mjs';
import { ETCD_WANTED } from './etcd-version.mjs';
import { outputOf, runSetupStep, SetupError } from './run.mjs';

const INSTALL_IT = `install ${ETCD_WANTED} and put it on PATH or name it in ETCD_BIN`;

/**
 * Where each distribution keeps its newest packages. `own` adds names under which a machine may
 * know its own release.
 */
const DISTRIBUTIONS = {
  debian: {
    newest: 'sid',
    components: 'main',
    keyring: '/usr/share/keyrings/debian-archive-keyring.gpg',
    own: ['stable', 'oldstable', 'testing', 'unstable', 'sid'],
  },
  ubuntu: {
    newest: 'devel',
    components: 'main universe',
    keyring: '/usr/share/keyrings/ubuntu-archive-keyring.gpg',
    own: ['devel'],
  },
};

/**
 * Fetches the distribution's newest etcd-server with apt, into `work` and nowhere else, and returns
 * the folder that holds `etcd` (and `etcdctl` where the client could be had). Needs no root and
 * installs nothing; apt checks the archive's signature.
 * @throws SetupError on machines without apt or without a usable source.
 */
export async function downloadFromDistribution(work) {
  const plan = sourcePlan();
  const apt = privateApt(work, plan);
  await apt('update', 'could not read the package list');
  await apt('download', 'could not download etcd-server', ['etcd-server']);
  await apt('download', null, ['etcd-client']);
  return unpack(work);
}

function sourcePlan() {
  const os = osRelease();
  const distribution = DISTRIBUTIONS[os.ID];
  if (!distribution || outputOf('apt-get', ['--version']) === null || outputOf('dpkg', ['--version']) === null) {
    throw new SetupError(`no etcd was found, and it can be fetched on Debian and Ubuntu only: ${INSTALL_IT}.`);
  }
  const uri = archiveUri(configuredSources(), [os.VERSION_CODENAME, ...distribution.own].filter(Boolean));
  if (uri === null)
    throw new SetupError(
      `no etcd was found, and apt has no ${os.ID} archive configured to fetch it from: ${INSTALL_IT}.`,
    );
  if (!existsSync(distribution.keyring)) {
    throw new SetupError(
      `no etcd was found, and ${distribution.keyring} is missing, without which it cannot be verified: ${INSTALL_IT}.`,
    );
  }
  return { ...distribution, uri, architecture: outputOf('dpkg', ['--print-architecture'])?.trim() ?? 'amd64' };
}

function osRelease() {
  const file = ['/etc/os-release', '/usr/lib/os-release'].find((each) => existsSync(each));
  const lines = file ? readFileSync(file, 'utf8').split('\n') : [];
  return Object.fromEntries(
    lines
      .map((line) => /^([A-Z_]+)="?([^"]*)"?$/.exec(line))
      .filter(Boolean)
      .map((match) => [match[1], match[2]]),
  );
}

/**
 * apt with every folder of its own; the machine's proxy and transport settings stay in force, its
 * hooks do not.
 */
function privateApt(work, plan) {
  for (const folder of ['state/lists/partial', 'cache/archives/partial', 'debs', 'empty']) {
    mkdirSync(join(work, folder), { recursive: true });
  }
  writeFileSync(join(work, 'newest.sources'), sourcesText(plan));
  writeFileSync(join(work, 'status'), '');
  writeFileSync(join(work, 'apt.conf'), configurationText(work));
  const env = { ...process.env, LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' };
  return async (verb, problem, packages = []) => {
    const args = ['-c', join(work, 'apt.conf'), '-qq', verb, ...packages];
    const stdio = problem === null ? 'ignore' : ['ignore', 2, 2];
    const code = await runSetupStep('apt-get', args, { cwd: join(work, 'debs'), env, stdio });
    if (code !== 0 && problem !== null) throw new SetupError(`apt ${problem} (details above): ${INSTALL_IT}.`);
  };
}

const sourcesText = ({ uri, newest, components, keyring, architecture }) => `Types: deb
URIs: ${uri}
Suites: ${newest}
Components: ${components}
Architectures: ${architecture}
Targets: Packages
Languages: none
PDiffs: no
Signed-By: ${keyring}
`;

/** Given with `-c`, it is read after the machine's own configuration and overrides it. */
const configurationText = (work) => `#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Post-Invoke;
#clear Acquire::GzipIndexes;
#clear APT::Default-Release;
APT::Sandbox::User "root";
APT::Get::AllowUnauthenticated "false";
APT::Update::Error-Mode "any";
Acquire::AllowInsecureRepositories "false";
Acquire::Retries "2";
Dir::State "${work}/state";
Dir::State::lists "${work}/state/lists";
Dir::State::status "${work}/status";
Dir::Cache "${work}/cache";
Dir::Cache::archives "${work}/cache/archives";
Dir::Etc::sourcelist "${work}/newest.sources";
Dir::Etc::sourceparts "${work}/empty";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "${work}/empty";
Dir::Log "${work}";
`;

async function unpack(work) {
  const debs = readdirSync(join(work, 'debs')).filter((name) => name.endsWith('.deb'));
  for (const deb of debs) {
    const code = await runSetupStep('dpkg', ['-x', join(work, 'debs', deb), join(work, 'root')]);
    if (code !== 0) throw new SetupError(`dpkg could not unpack ${deb}: ${INSTALL_IT}.`);
  }
  const ready = join(work, 'ready');
  mkdirSync(ready);
  for (const name of ['etcd', 'etcdctl']) {
    const unpacked = join(work, 'root', 'usr', 'bin', name);
    if (existsSync(unpacked)) renameSync(unpacked, join(ready, name));
  }
  return ready;
}
