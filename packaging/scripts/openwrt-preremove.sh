#!/bin/sh
# Before removal on OpenWrt.
if [ -z "$IPKG_INSTROOT" ] && [ -x /etc/init.d/edgescan ]; then
	/etc/init.d/edgescan stop
	/etc/init.d/edgescan disable
fi
exit 0
