#!/usr/bin/env bash
# Installs what the tests need (Debian/Ubuntu with a Swift toolchain), then runs them all.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! pkg-config --exists libarchive zlib sqlite3 2>/dev/null; then
  sudo=$([ "$(id -u)" = 0 ] || echo sudo)
  $sudo apt-get update -qq
  $sudo apt-get install -y -qq pkg-config libarchive-dev zlib1g-dev libsqlite3-dev
fi

swift build --build-tests --explicit-target-dependency-import-check error
swift test --skip-build
