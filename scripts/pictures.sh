#!/usr/bin/env bash
# Draws the pictures of docs/: what typical sources of synthetic traffic look
# like to the network.
set -euo pipefail
bin=${BIN:-bin/edgescan}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

picture() { # name behaviour seed
  "$bin" synth --only "$2" --seed "$3" -o "$dir/$1.pcap" --labels "$dir/$1.csv"
  # the last row's column source
  local source
  source=$(tail -n 1 "$dir/$1.csv" | rev | cut -d, -f3 | rev)
  "$bin" map -r "$dir/$1.pcap" --src "$source" -o "docs/$1.png"
}

mkdir -p docs
picture vertical syn 5
picture horizontal worm 4
picture crawler crawler 4
picture resolver resolver 5
picture bittorrent bittorrent 1
