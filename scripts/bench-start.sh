#!/usr/bin/env bash
# How long the device build takes from its start to watching an interface, and what
# it costs while nothing happens, with and without a live page that nobody looks at. As root, in a network namespace of its own, whose
# only interface is lo.
set -euo pipefail
bin=$(realpath "${BIN:-bin/edgescan-linux-$(go env GOARCH)}")
starts=${STARTS:-20}
seconds=${SECONDS_IDLE:-60}
if [ "${IN_NAMESPACE:-}" != yes ]; then
  [ "$(id -u)" = 0 ] || { echo "bench-start: needs root, to watch an interface"; exit 1; }
  [ -x "$bin" ] || { echo "bench-start: no $bin: run make device first"; exit 1; }
  IN_NAMESPACE=yes exec unshare --net "$0"
fi
ip link set lo up
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# watch starts the program, with options, and waits until it says that it watches.
watch() {
  : >"$dir/log"
  "$bin" run -i lo --user root "$@" 2>"$dir/log" >/dev/null &
  pid=$!
  until grep -q watching "$dir/log"; do
    kill -0 "$pid" 2>/dev/null || { cat "$dir/log"; exit 1; }
    sleep 0.001
  done
}

stop() {
  kill "$pid"
  wait "$pid" || true
}

for _ in $(seq "$starts"); do
  before=$(date +%s%N)
  watch
  echo $((($(date +%s%N) - before) / 1000000))
  stop
done | sort -n >"$dir/times"
echo "start to watching: median $(sed -n "$(((starts + 1) / 2))p" "$dir/times") ms, slowest of $starts: $(tail -n 1 "$dir/times") ms (with up to some ms of this script's own)"

ticks() { awk '{print $14 + $15}' "/proc/$pid/stat"; }

# idle says what it costs, with options, while nothing happens.
idle() {
  watch "$@"
  before=$(ticks)
  sleep "$seconds"
  awk -v ticks=$(($(ticks) - before)) -v hertz="$(getconf CLK_TCK)" -v seconds="$seconds" -v with="$*" 'BEGIN {
    printf "idle %s: %.2f s of CPU time in %d s, %.3f%% of a core, ", with, ticks / hertz, seconds, 100 * ticks / hertz / seconds }'
  awk '/VmRSS/ {print "resident memory " $2 " KiB"}' "/proc/$pid/status"
  stop
}

idle
idle --web :8469
