#!/usr/bin/env bash
# Runs the tests of the compute core, or those that match $1, under the sanitizers: memory, data races, and undefined
# behaviour of the kernels, which ends the tests with a trap. Each needs a build of its own, so this takes a while and is
# not part of run.sh.
#
# The tests run one after another: the thread sanitizer does not see the order that a Mutex of Swift's Synchronization
# makes, by which tests that run at once share an engine.
set -euo pipefail
cd "$(dirname "$0")/.."
options=$(mktemp)
trap 'rm -f "$options"' EXIT
echo "leak:libXCTest" > "$options"  # two objects of its own
export LSAN_OPTIONS=suppressions=$options

check() {
  printf '\n== %s\n' "$1"
  swift test "${@:3}" --scratch-path ".build/$1" --no-parallel --filter "$2"
}
tests=${1:-HubTensorTests}
check address "$tests" --sanitize address
check thread "$tests" --sanitize thread
check undefined "$tests" -Xcc -fsanitize=undefined -Xcc -fsanitize-trap=undefined
