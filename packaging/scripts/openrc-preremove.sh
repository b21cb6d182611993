#!/bin/sh
# Before removal on Alpine Linux.
rc-service --ifstarted edgescan stop 2>/dev/null
rc-update del edgescan 2>/dev/null
exit 0
