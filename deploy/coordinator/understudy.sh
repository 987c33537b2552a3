#!/bin/sh
# The understudy command, with the Node it came with.
here=$(dirname "$(readlink -f "$0")")
exec "$here/node" "$here/../lib/understudy.mjs" "$@"
