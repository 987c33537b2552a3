#!/bin/sh
# Runs a coordinator with the Node it came with.
# usage: understudy-coordinator --config FILE [--check]
here=$(dirname "$(readlink -f "$0")")
exec "$here/node" "$here/../lib/coordinator.mjs" "$@"
