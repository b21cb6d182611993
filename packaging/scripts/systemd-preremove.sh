#!/bin/sh
# Before removal: Debian says "remove", RPM 0. An upgrade leaves the service alone.
set -e
case "$1" in
remove | 0) ;;
*) exit 0 ;;
esac
if [ -d /run/systemd/system ]; then
	systemctl stop edgescan.service || true
fi
if command -v systemctl >/dev/null; then
	systemctl --no-reload disable edgescan.service >/dev/null 2>&1 || true
fi
