#!/bin/sh
# Prints a manual, edgescan.1 or edgescan.yaml.5: what is written by hand, and
# what the program itself has of flags or keys.
set -eu
cd "$(dirname "$0")/.."

case "$1" in
edgescan.1) what=commands ;;
edgescan.yaml.5) what=keys ;;
*) echo "man.sh: edgescan.1 or edgescan.yaml.5, not $1" >&2 && exit 2 ;;
esac
list=$(mktemp)
trap 'rm -f "$list"' EXIT
${GO:-go} run -tags device,manpage ./cmd/edgescan "$what" >"$list"
stamp=${SOURCE_DATE_EPOCH:-$(date +%s)}
sed -e "s/@DATE@/$(LC_ALL=C date -u -d "@$stamp" '+%B %-d, %Y')/" -e "/@LIST@/{r $list
d
}" "packaging/$1.in"
