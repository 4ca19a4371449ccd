#!/usr/bin/env bash
# Every kernel of every instruction set against plain loops: natively, and those of arm64 on emulated processors of three
# generations. Installs what it needs (Debian or Ubuntu, with Swift's clang on the PATH); takes about a minute.
set -euo pipefail
cd "$(dirname "$0")/../.."
build=.build/kernels
mkdir -p "$build"
sources=(Tests/Kernels/check.c Sources/CHubKernels/dispatch.c Sources/CHubKernels/isa/*.c)
flags=(-O2 -Wall -Wextra -Werror -ISources/CHubKernels/include)

clang "${flags[@]}" -o "$build/check" "${sources[@]}" -lm
"$build/check" portable

if [ "$(uname -m)" = aarch64 ]; then exit; fi

echo "with AVX-VNNI emulated:"
clang "${flags[@]}" -DEMULATED=hub_kernels_avx2_vnni -o "$build/check-emulated" "${sources[@]/*avx2_vnni.c/Tests/Kernels/avx2_vnni_emulated.c}" -lm
"$build/check-emulated" avx2 | grep avx2_vnni

if ! command -v qemu-aarch64 >/dev/null || ! command -v aarch64-linux-gnu-gcc >/dev/null; then
  sudo=$([ "$(id -u)" = 0 ] || echo sudo)
  $sudo apt-get update -qq
  $sudo apt-get install -y -qq --no-install-recommends gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user >/dev/null
fi

# The loops need clang, and the cross compiler knows how to link.
rm -f "$build"/*.o
objects=()
for source in "${sources[@]}"; do
  object=$build/$(basename "$source" .c).o
  clang --target=aarch64-linux-gnu "${flags[@]}" -isystem /usr/aarch64-linux-gnu/include -c -o "$object" "$source" &
  objects+=("$object")
done
wait
aarch64-linux-gnu-gcc -static -o "$build/check-arm64" "${objects[@]}" -lm

on() { echo "on an emulated $1:"; qemu-aarch64 -cpu "$1" "$build/check-arm64" "${@:2}"; }
on cortex-a53 neon
on neoverse-n1 neon_dotprod neon
on max neon_bf16 neon_dotprod neon
