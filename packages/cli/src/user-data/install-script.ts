import { createHash } from 'node:crypto';
import { agentConfigText, CA_FILE } from './agent-config-text.ts';
import type { InstallSettings } from './install-settings.ts';

/** No line of what is written by a here-document may be this. */
const END = 'UNDERSTUDY_END';

const TARGET = 'understudy-active.target';
const DROP_IN = [
  '# Written by the user data of understudy. See docs/workloads.md.',
  '[Unit]',
  `Requisite=${TARGET}`,
  `PartOf=${TARGET}`,
  `After=${TARGET}`,
  'AssertPathExists=/run/understudy/active',
  '',
].join('\n');

/** Writes the text to standard output of the shell's here-document, as it is. */
const here = (command: string, text: string): string => `${command} <<'${END}'\n${text}${END}`;

/** `'` in a word of the shell. */
const word = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`;

const sha256Of = (text: string): string => createHash('sha256').update(text).digest('hex');

/** The first line says what the rest was when it was written, so that edits are seen. */
const MARK = '# Written by understudy user-data';

const FUNCTIONS = `say() { printf 'understudy: %s\\n' "$1"; }
fail() { printf 'understudy: %s\\n' "$1" >&2; exit 1; }

# One URL into one file, with whatever this image has. What is fetched is trusted by its SHA-256
# only.
fetch() {
  if command -v curl >/dev/null 2>&1; then
    curl --fail --silent --show-error --connect-timeout 5 --max-time 300 \${ca:+--cacert "$ca"} --output "$2" "$1"
  elif command -v wget >/dev/null 2>&1; then
    wget --quiet --timeout=20 --tries=1 \${ca:+--ca-certificate="$ca"} --output-document="$2" "$1"
  elif command -v python3 >/dev/null 2>&1; then
    python3 -c 'import shutil, ssl, sys, urllib.request as r
url, out, ca = sys.argv[1:]
context = ssl.create_default_context(cafile=ca or None)
try:
  with r.urlopen(url, timeout=20, context=context) as answer, open(out, "wb") as file: shutil.copyfileobj(answer, file)
except OSError as error: sys.exit(str(error))' "$1" "$2" "$ca"
  else
    fail 'this image has neither curl nor wget nor python3: install one, or the package understudy-agent'
  fi
}

sum_of() { sha256sum "$1" | cut -d ' ' -f 1; }

# True when a file is not there, is the skeleton of a package, or is what user data wrote and nobody
# edited.
may_write() {
  [ -s "$1" ] || return 0
  grep -q '^member:[[:space:]]*$' "$1" && return 0
  [ "$(sed -n 's/^${MARK} //p;q' "$1")" = "$(sed 1d "$1" | sha256sum | cut -d ' ' -f 1)" ]
}
`;

function configSection(settings: InstallSettings): string {
  const config = agentConfigText(settings);
  return `config=/etc/understudy/agent.yaml
${here('cat >"$work/agent.yaml"', `${MARK} ${sha256Of(config)}\n${config}`)}
if cmp -s "$work/agent.yaml" "$config"; then
  :
elif may_write "$config"; then
  cp "$work/agent.yaml" "$config.new" && chmod 600 "$config.new" && mv -f "$config.new" "$config"
else
  say "$config was edited here and is left as it is"
fi
`;
}

/** Keys that a rotation brought are in the agent's state, and go before this one. */
const keySection = ({ key }: InstallSettings): string =>
  key.kind === 'embedded'
    ? `key=/etc/understudy/agent.key
if ! grep -Eqx '[0-9a-fA-F]{64}' "$key" 2>/dev/null; then
  echo ${key.hex} >"$key.new" && chmod 600 "$key.new" && mv -f "$key.new" "$key"
fi
`
    : '';

const caSection = ({ caPem }: InstallSettings): string =>
  caPem === null
    ? "ca=''\n"
    : `ca=${CA_FILE}
${here('cat >"$ca.new"', caPem.endsWith('\n') ? caPem : `${caPem}\n`)}
chmod 644 "$ca.new" && mv -f "$ca.new" "$ca"
`;

const workloadSection = ({ workloads }: InstallSettings): string =>
  workloads.length === 0
    ? ''
    : `set -- ${workloads.map(word).join(' ')}
for unit do
  mkdir -p "/etc/systemd/system/$unit.d" "/etc/systemd/system/${TARGET}.wants"
  cp "$work/drop-in" "/etc/systemd/system/$unit.d/understudy.conf"
  chmod 755 "/etc/systemd/system/$unit.d" "/etc/systemd/system/${TARGET}.wants"
  chmod 644 "/etc/systemd/system/$unit.d/understudy.conf"
  # A unit that is not there yet must not keep the agent away. The doctor finds it.
  systemctl --quiet add-wants ${TARGET} "$unit" || say "$unit is not there: give it to ${TARGET} later (systemctl add-wants)"
done
systemctl daemon-reload
`;

const downloadSection = ({ tarballs, artefactUrls }: InstallSettings): string => `case $(uname -m) in
  x86_64) name=${tarballs.x64.name} sum=${tarballs.x64.sha256} ;;
  aarch64) name=${tarballs.arm64.name} sum=${tarballs.arm64.sha256} ;;
  *) fail "there is no agent for $(uname -m)" ;;
esac
installed=/var/lib/understudy/.tarball
if [ "$(cat "$installed" 2>/dev/null)" = "$sum" ] && [ -x /usr/lib/understudy/agent/bin/node ]; then
  say "$name is installed"
else
  got=no round=0 rounds=\${UNDERSTUDY_ROUNDS:-30}
  set -- ${artefactUrls.map(word).join(' ')}
  while [ $got = no ] && [ "$round" -lt "$rounds" ]; do
    round=$((round + 1))
    for url do
      rm -f "$work/agent.tar.gz"
      if ! fetch "$url/$name" "$work/agent.tar.gz"; then
        say "not from $url"
      elif [ "$(sum_of "$work/agent.tar.gz")" != "$sum" ]; then
        say "$url/$name is not what was asked for: SHA-256 $(sum_of "$work/agent.tar.gz")"
      else
        got=yes
        break
      fi
    done
    [ $got = yes ] || [ "$round" -ge "$rounds" ] || sleep 10
  done
  [ $got = yes ] || fail "no coordinator gave $name with the right SHA-256; this script may be run again"
  tar -xzf "$work/agent.tar.gz" -C "$work"
fi
`;

const INSTALL = `# The tarball's own script installs, and starts the agent; never the workload.
install=$(find "$work" -maxdepth 2 -name install.sh | head -n 1)
[ -z "$install" ] || sh "$install" --no-start >/dev/null
systemctl daemon-reload
`;

const START = `if [ -n "$install" ]; then
  sh "$install"
  echo "$sum" >"$installed"
elif [ "$before" = "$(cat "$config" /etc/understudy/agent.key 2>/dev/null | sha256sum)" ]; then
  systemctl start understudy-agent.service
else
  systemctl restart understudy-agent.service
fi
`;

/**
 * The script that makes an instance a member: POSIX sh, safe to run again, on this disk or a copy
 * of it. It leaves what was edited, keys that a rotation brought, and the agent's state. It never
 * touches a disk's layout and never starts the workload.
 */
export const installScript = (settings: InstallSettings): string =>
  [
    `#!/bin/sh
# Makes this instance ${settings.group}/${settings.member} of Understudy. Safe to run again. Needs
# sh, tar, gzip, sha256sum, and curl or wget or python3. No secrets belong in here: every local user
# can read user data.
set -eu
umask 077
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
work=$(mktemp -d /var/tmp/understudy.XXXXXX)
trap 'rm -rf "$work"' EXIT
`,
    FUNCTIONS,
    `mkdir -p /etc/understudy /var/lib/understudy
chmod 755 /etc/understudy
chmod 700 /var/lib/understudy
before=$(cat /etc/understudy/agent.yaml /etc/understudy/agent.key 2>/dev/null | sha256sum || true)
`,
    caSection(settings),
    keySection(settings),
    configSection(settings),
    settings.workloads.length === 0 ? '' : `${here('cat >"$work/drop-in"', DROP_IN)}\n`,
    downloadSection(settings),
    INSTALL,
    workloadSection(settings),
    START,
  ].join('');
