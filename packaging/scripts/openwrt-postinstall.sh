#!/bin/sh
# After installation on OpenWrt; while an image is built (IPKG_INSTROOT) the
# service is only enabled.
if [ -z "$IPKG_INSTROOT" ]; then
	/etc/init.d/edgescan enable
	/etc/init.d/edgescan restart
else
	ln -sf ../init.d/edgescan "$IPKG_INSTROOT/etc/rc.d/S95edgescan"
fi
exit 0
