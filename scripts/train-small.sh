#!/usr/bin/env bash
# Proves the training path on a small run: train, interrupt, resume, quantize,
# run. The same seed must give the same bytes, interrupted or not.
set -euo pipefail
bin=${BIN:-bin/edgescan}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

train() { "$bin" train --seed 7 --scenes 300 --epochs 3 "$@"; }

train -o "$dir/a.float" 2>/dev/null
timeout --signal=INT 4 "$bin" train --seed 7 --scenes 300 --epochs 3 -o "$dir/b.float" --checkpoint "$dir/ckpt" >/dev/null 2>&1 || true
train -o "$dir/b.float" --checkpoint "$dir/ckpt" >/dev/null 2>&1
cmp "$dir/a.float" "$dir/b.float"
"$bin" quantize --float "$dir/a.float" --seed 7 --scenes 100 -o "$dir/a.esq"
"$bin" run -r testdata/sample.pcap.gz --model "$dir/a.esq" --json - >/dev/null
"$bin" train --of flows --seed 7 --scenes 100 --epochs 1 -o "$dir/f.float" >/dev/null 2>&1
"$bin" quantize --of flows --float "$dir/f.float" --seed 7 --scenes 40 -o "$dir/f.esq" >/dev/null
"$bin" synth --seed 7 --flows zeek -o "$dir/conn.log"
"$bin" run --flows "$dir/conn.log" --model "$dir/f.esq" --json - >/dev/null
echo "training path: ok"
