#!/usr/bin/env bash
# Holds every device architecture, and s390x, against this machine: 32 and 64
# bits, little and big endian. The capture package's tests must pass, and the
# lines that `run -r` writes must be the same byte for byte. Others than this
# machine's kind run under qemu-user (Debian: qemu-user; 386 only where the kernel
# runs it), which has no packet ring: live capture is for test-live-archs.sh.
set -euo pipefail
cd "$(dirname "$0")/.."

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
export CGO_ENABLED=0 GOMIPS=softfloat
go=${GO:-go}
"$go" build -trimpath -tags device -o "$tmp/native" ./cmd/edgescan
"$go" build -trimpath -o "$tmp/workbench" ./cmd/edgescan

captures=(testdata/sample.pcap.gz)
for seed in 1 5 9; do
  "$tmp/workbench" synth -o "$tmp/$seed.pcap" --seed $seed
  captures+=("$tmp/$seed.pcap")
done
for c in "${captures[@]}"; do
  "$tmp/native" run -r "$c" --json - >"$tmp/$(basename "$c").want" 2>"$tmp/log"
done
lines=$(cat "$tmp"/*.want | wc -l)
[ "$lines" -gt 10 ] || { echo "test-archs: only $lines lines to compare"; exit 1; }

# Tests that read with other programs or read the labelled captures say little
# about the architecture and take long: here they are left out.
slow='^TestCaptures|Tshark|Tools'

# test_capture NAME COMMAND... : the capture package's tests. The command is the
# emulator, or empty. qemu-user keeps no fractions of a second in a file's times
# on s390x, by which files that are written anew are told apart.
test_capture() {
  local name=$1 skip=$slow
  shift
  [ $# = 0 ] || skip+='|^Test(Live|Link|Rings|IgnoreOutgoing)'
  [ "$name" != s390x ] || skip+='|^TestFollowRing$'
  (cd capture && "$@" "$tmp/$name.test" -test.short -test.v -test.skip "$skip") >"$tmp/$name.log" 2>&1 &&
    passed=$(grep -c '^--- PASS' "$tmp/$name.log")
}

# same_lines NAME COMMAND... : what run -r writes.
same_lines() {
  local name=$1 c
  shift
  for c in "${captures[@]}"; do
    if ! "$@" "$tmp/$name" run -r "$c" --json - >"$tmp/$name.got" 2>"$tmp/$name.log"; then
      echo "test-archs: $name fails on $c:"; cat "$tmp/$name.log"; return 1
    elif ! cmp "$tmp/$name.got" "$tmp/$(basename "$c").want"; then
      echo "test-archs: $name differs on $c"; return 1
    fi
  done
}

# test_arch NAME COMMAND... : all of one architecture.
test_arch() {
  local name=$1
  shift
  if "$tmp/$name" --help >"$tmp/$name.log" 2>&1; then
    set --
  elif [ $# = 0 ]; then
    echo "test-archs: $name skipped, this machine does not run it, and no emulator does"
    return
  elif ! command -v "$1" >"$tmp/$name.log"; then
    echo "test-archs: $name skipped, it needs $1 (Debian: qemu-user)"
    return
  fi
  if ! test_capture "$name" "$@"; then
    echo "test-archs: $name: the capture package's tests fail:"; grep -v '^ *\(=== \|--- PASS\)' "$tmp/$name.log"; return 1
  fi
  same_lines "$name" "$@" || return 1
  echo "test-archs: $name: $passed tests of the capture package, ${#captures[@]} captures, $lines lines (${SECONDS}s)"
}

# They are built one after the other, with every core, and tested beside each other:
# an emulator takes one core. qemu-i386 (7.2) crashes Go's programs.
jobs=() failed=0
while read -r name arch arm emulator; do
  read -ra run <<<"$emulator"
  GOARCH=$arch GOARM=${arm#-} "$go" build -trimpath -tags device -o "$tmp/$name" ./cmd/edgescan
  GOARCH=$arch GOARM=${arm#-} "$go" test -c -o "$tmp/$name.test" ./capture
  [ "${#jobs[@]}" -lt "$(nproc)" ] || { wait "${jobs[0]}" || failed=1; jobs=("${jobs[@]:1}"); }
  test_arch "$name" "${run[@]}" &
  jobs+=($!)
done <<END
386     386     -
arm64   arm64   -  qemu-aarch64
armv6   arm     6  qemu-arm -cpu arm1176
armv7   arm     7  qemu-arm -cpu cortex-a7
mips    mips    -  qemu-mips
mipsle  mipsle  -  qemu-mipsel
riscv64 riscv64 -  qemu-riscv64
s390x   s390x   -  qemu-s390x
END
for job in "${jobs[@]}"; do
  wait "$job" || failed=1
done
exit $failed
