#!/bin/sh
# Runs the agent with the Node it came with and the flags it is measured with.
# usage: understudy-agent --config FILE
home=$(dirname "$(dirname "$(readlink -f "$0")")")
exec "$home/bin/node" @NODE_FLAGS@ "$home/understudy-agent.cjs" "$@"
