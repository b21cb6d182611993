#!/usr/bin/env bash
# Runs every fuzz target of the project for a time: fuzz.sh 60s
set -euo pipefail
time=${1:-60s}
go list ./... | while read -r package; do
  go test -list '^Fuzz' "$package" | grep '^Fuzz' | while read -r target; do
    echo "== $package $target"
    go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" "$package"
  done
done
