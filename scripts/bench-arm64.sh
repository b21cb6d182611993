#!/usr/bin/env bash
# Counts the instructions of one inference of the shipped model on arm64, on
# average over 100 maps of synthetic traffic. They are counted by qemu-user and
# say nothing of how long each takes: they are no times.
#
# A benchmark runs 100 and 200 times; the difference is what 100 more inferences
# take, without what starts and ends the program.
set -euo pipefail
cd "$(dirname "$0")/.."

for program in qemu-aarch64 gcc; do
  command -v $program >/dev/null || { echo "bench-arm64: skipped, it needs $program (Debian: qemu-user gcc)"; exit 0; }
done

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
gcc -O2 -Wall -shared -fPIC -o "$tmp/instructions.so" scripts/instructions.c
CGO_ENABLED=0 GOARCH=arm64 "${GO:-go}" test -c -o "$tmp/quant.test" ./quant
export GOMAXPROCS=1 GOGC=off GODEBUG=asyncpreemptoff=1

# total CPU BENCHMARK TIMES: instructions of a whole run
total() {
  qemu-aarch64 -cpu "$1" -plugin "$tmp/instructions.so" "$tmp/quant.test" \
    -test.run '^$' -test.bench "$2" -test.benchtime "$3x" >"$tmp/out" 2>"$tmp/err"
  grep -q ^Benchmark "$tmp/out" || { echo "bench-arm64: no benchmark $2 on $1" >&2; exit 1; }
  sed -n 's/^instructions //p' "$tmp/err"
}

# each CPU BENCHMARK: instructions of one turn
each() {
  local less more
  less=$(total "$1" "$2" 100)
  more=$(total "$1" "$2" 200)
  echo $(((more - less) / 100))
}

# The loop of stageNEON takes 5 instructions for 16 bytes.
less=$(each cortex-a72 '^BenchmarkStage$/^neon$/^1000000$')
more=$(each cortex-a72 '^BenchmarkStage$/^neon$/^2000000$')
echo "to check the count: $((more - less)) instructions for 1000000 bytes staged, known to be $((5 * 1000000 / 16))"

portable=$(each cortex-a72 '^BenchmarkShipped$/^portable$')
printf '%-34s %12s %s\n' 'arm64, counted by qemu' 'instructions' 'portable / this'
while read -r cpu set; do
  n=$(each "$cpu" "^BenchmarkShipped\$/^$set\$")
  printf '%-34s %12d %s\n' "$set ($cpu)" "$n" "$(awk "BEGIN { printf \"%.2f\", $portable / $n }")"
done <<END
max neon-dotprod
cortex-a72 neon
cortex-a72 portable
cortex-a72 reference
END
