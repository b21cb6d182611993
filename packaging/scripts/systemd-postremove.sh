#!/bin/sh
# After removal; "purge" (Debian) leaves nothing of what the service wrote.
set -e
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload || true
fi
if [ "$1" = purge ]; then
	rm -rf /var/lib/edgescan /var/log/edgescan
	if getent passwd edgescan >/dev/null 2>&1; then
		userdel edgescan || true
	fi
fi
