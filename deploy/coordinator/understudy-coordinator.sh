#!/bin/sh
# Runs a coordinator with the Node it came with.
# usage: understudy-coordinator --config FILE [--check]
home=$(dirname "$(dirname "$(readlink -f "$0")")")
exec "$home/bin/node" "$home/lib/understudy.mjs" coordinator "$@"
