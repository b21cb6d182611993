#!/usr/bin/env bash
# Holds what `run -r` writes against this machine's on other architectures:
# 32 and 64 bits, little and big endian. The lines must be the same byte for
# byte. Others than this machine's kind run under qemu-user (Debian: qemu-user).
set -euo pipefail
cd "$(dirname "$0")/.."

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
export CGO_ENABLED=0
"${GO:-go}" build -trimpath -tags device -o "$tmp/native" ./cmd/edgescan

captures=(testdata/sample.pcap.gz)
for seed in 1 5 9; do
  "$tmp/native" synth -o "$tmp/$seed.pcap" --seed $seed
  captures+=("$tmp/$seed.pcap")
done
for c in "${captures[@]}"; do
  "$tmp/native" run -r "$c" --json - >"$tmp/$(basename "$c").want" 2>"$tmp/log"
done
lines=$(cat "$tmp"/*.want | wc -l)
[ "$lines" -gt 10 ] || { echo "test-archs: only $lines lines to compare"; exit 1; }

failed=0
while read -r arch emulator; do
  GOARCH=$arch GOMIPS=softfloat "${GO:-go}" build -trimpath -tags device -o "$tmp/$arch" ./cmd/edgescan
  run=("$tmp/$arch")
  if ! "$tmp/$arch" --help >"$tmp/log" 2>&1; then
    command -v "$emulator" >/dev/null || { echo "test-archs: $arch skipped, it needs $emulator (Debian: qemu-user)"; continue; }
    run=("$emulator" "$tmp/$arch")
  fi
  for c in "${captures[@]}"; do
    if ! "${run[@]}" run -r "$c" --json - >"$tmp/got" 2>"$tmp/log"; then
      echo "test-archs: $arch fails on $c:"; cat "$tmp/log"; failed=1
    elif ! cmp "$tmp/got" "$tmp/$(basename "$c").want"; then
      echo "test-archs: $arch differs on $c"; failed=1
    fi
  done
  echo "test-archs: $arch: ${#captures[@]} captures, $lines lines"
done <<END
386 qemu-i386
arm64 qemu-aarch64
mips qemu-mips
s390x qemu-s390x
END
exit $failed
