#!/bin/sh
# Prints edgescan(1): what is written by hand, and the flags out of the program.
set -eu
cd "$(dirname "$0")/.."

commands=$(mktemp)
trap 'rm -f "$commands"' EXIT
${GO:-go} run -tags device,manpage ./cmd/edgescan >"$commands"
stamp=${SOURCE_DATE_EPOCH:-$(date +%s)}
sed -e "s/@DATE@/$(LC_ALL=C date -u -d "@$stamp" '+%B %-d, %Y')/" -e "/@COMMANDS@/{r $commands
d
}" packaging/edgescan.1.in
