#!/bin/sh
# mmdebstrap's essential hook: packages that are installed into the tree start nothing.
set -eu
printf '#!/bin/sh\nexit 101\n' > "$1/usr/sbin/policy-rc.d"
chmod 755 "$1/usr/sbin/policy-rc.d"
