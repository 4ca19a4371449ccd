#!/usr/bin/env bash
# Runs the tests of the compute core, or those that match $1, under each sanitizer: memory, data races, undefined
# behaviour. Each needs a build of its own, so this takes a while and is not part of run.sh.
set -euo pipefail
cd "$(dirname "$0")/.."
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
for sanitizer in address thread undefined; do
  printf '\n== %s\n' "$sanitizer"
  swift test --sanitize "$sanitizer" --scratch-path ".build/$sanitizer" --filter "${1:-HubTensorTests}"
done
