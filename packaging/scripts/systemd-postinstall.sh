#!/bin/sh
# After installation: Debian says "configure" and the version before, RPM the
# number of versions installed. Nothing here may fail where systemd is absent.
set -e

make_user() {
	getent passwd edgescan >/dev/null 2>&1 && return
	if command -v systemd-sysusers >/dev/null && systemd-sysusers edgescan.conf; then
		return
	fi
	useradd --system --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin edgescan ||
		echo "edgescan: make a user edgescan, whom the service runs as" >&2
}

make_user
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload || true
	systemctl try-restart edgescan.service || true
fi
if [ "$1" = 1 ] || { [ "$1" = configure ] && [ -z "$2" ]; }; then
	echo "edgescan: name the interfaces in /etc/edgescan/edgescan.yaml, then: systemctl enable --now edgescan"
fi
