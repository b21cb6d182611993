#!/bin/sh
# After installation on Alpine Linux.
addgroup -S edgescan 2>/dev/null
adduser -S -D -H -h /nonexistent -s /sbin/nologin -G edgescan -g edgescan edgescan 2>/dev/null
echo "edgescan: name the interfaces in /etc/edgescan/edgescan.yaml, then: rc-update add edgescan && rc-service edgescan start"
exit 0
