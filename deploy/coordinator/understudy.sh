#!/bin/sh
# The understudy command, with the Node it came with.
home=$(dirname "$(dirname "$(readlink -f "$0")")")
exec "$home/bin/node" "$home/lib/understudy.mjs" "$@"
