#!/bin/sh
# Runs the agent with the Node it came with and the flags it is measured with.
# usage: understudy-agent --config FILE
here=$(dirname "$(readlink -f "$0")")
exec "$here/node" @NODE_FLAGS@ "$here/../understudy-agent.cjs" "$@"
