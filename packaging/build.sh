#!/bin/sh
# Makes the packages of the targets named (linux/amd64 linux/arm/6 ...), out of
# the programs that 'make device' left in bin/, below out/packages/.
#
#   GO          the go command                 VERSION  the release, as the program says it
#   MAINTAINER  NAME <ADDRESS> of who makes them
#   PGP_KEY     file with the secret key that signs .deb and .rpm; none: they are not signed
#   APK_KEY     file with the RSA key that signs .apk; apk looks for its public half in
#               /etc/apk/keys/ADDRESS.rsa.pub, ADDRESS being the maintainer's; none: they
#               are not signed
set -eu
umask 022
cd "$(dirname "$0")/.."

NFPM_VERSION=v2.45.2
GO=${GO:-go}
OUT=out/packages
STAGE=out/stage
VERSION=${VERSION:-$(cat VERSION)}
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)}
MAINTAINER=${MAINTAINER:-edgescan developers <edgescan@example.invalid>}
PGP_KEY=${PGP_KEY:-} APK_KEY=${APK_KEY:-}
export VERSION SOURCE_DATE_EPOCH MAINTAINER PGP_KEY APK_KEY

# packages prints FAMILY:ARCHITECTURE for a target, in the family's own names.
# Raspberry Pi OS calls all of its 32-bit boards armhf, the first one too. OpenWrt
# names the processor, though one static program serves a whole column of them;
# Go's programs for 386 need SSE2, which a Pentium MMX has not.
packages() {
	case "$1" in
	linux/amd64) echo deb:amd64 rpm:x86_64 alpine:x86_64 openwrt:x86_64 ;;
	linux/386) echo deb:i386 rpm:i686 alpine:x86 openwrt:i386_pentium4 ;;
	linux/arm64) echo deb:arm64 rpm:aarch64 alpine:aarch64 openwrt:aarch64_generic openwrt:aarch64_cortex-a53 openwrt:aarch64_cortex-a72 openwrt:aarch64_cortex-a76 ;;
	linux/arm/6) echo deb:armhf rpm:armv6hl alpine:armhf openwrt:arm_arm1176jzf-s_vfp ;;
	linux/arm/7) echo rpm:armv7hl alpine:armv7 openwrt:arm_cortex-a7_neon-vfpv4 openwrt:arm_cortex-a7_vfpv4 openwrt:arm_cortex-a8_vfpv3 openwrt:arm_cortex-a9_vfpv3-d16 openwrt:arm_cortex-a9_neon openwrt:arm_cortex-a15_neon-vfpv4 ;;
	linux/mips) echo deb:mips openwrt:mips_24kc openwrt:mips_4kec openwrt:mips_mips32 ;;
	linux/mipsle) echo deb:mipsel openwrt:mipsel_24kc openwrt:mipsel_24kc_24kf openwrt:mipsel_74kc openwrt:mipsel_mips32 ;;
	linux/riscv64) echo deb:riscv64 rpm:riscv64 alpine:riscv64 openwrt:riscv64_generic openwrt:riscv64_riscv64 ;;
	*) echo "build.sh: no packages for $1" >&2 && return 1 ;;
	esac
}

# program prints where 'make device' puts a target's program.
program() {
	echo "$1" | sed 's|^\([^/]*\)/\([^/]*\)/*\(.*\)$|bin/edgescan-\1-\2v\3|; s|v$||'
}

# package FAMILY ARCHITECTURE
package() {
	case "$1" in
	deb) formats=deb config=systemd ;;
	rpm) formats=rpm config=systemd ;;
	alpine) formats=apk config=openrc ;;
	openwrt) formats="ipk apk" config=openwrt ;; # opkg until 24.10, apk since
	esac
	for format in $formats; do
		mkdir -p "$OUT/$1"
		ARCH=$2 "$STAGE/nfpm" package --config "packaging/nfpm-$config.yaml" --packager "$format" --target "$OUT/$1/edgescan_${VERSION}_$2.$format" >/dev/null
	done
}

# stage makes what is the same for all architectures.
stage() {
	rm -rf "$STAGE/doc" "$STAGE/man" "$STAGE/completions"
	mkdir -p "$STAGE/doc" "$STAGE/man" "$STAGE/completions"
	GOBIN="$PWD/$STAGE" $GO install "github.com/goreleaser/nfpm/v2/cmd/nfpm@$NFPM_VERSION"
	for manual in edgescan.1 edgescan.yaml.5; do
		GO="$GO" ./packaging/man.sh "$manual" >"$STAGE/man/$manual"
		gzip -9nkf "$STAGE/man/$manual"
	done
	$GO build -tags device -o "$STAGE/edgescan" ./cmd/edgescan
	for shell in bash zsh fish; do
		"$STAGE/edgescan" completion "$shell" >"$STAGE/completions/edgescan.$shell"
	done
	"$STAGE/edgescan" config init >"$STAGE/reference.yaml"
	cp README.md CHANGELOG.md docs/*.md "$STAGE/doc/"
	for file in LICENSE* COPYING*; do
		[ ! -e "$file" ] || cp "$file" "$STAGE/doc/"
	done
}

stage
rm -rf "$OUT"
for target in "$@"; do
	cp "$(program "$target")" "$STAGE/program"
	wanted=$(packages "$target")
	for each in $wanted; do
		package "${each%%:*}" "${each#*:}"
	done
done
find "$OUT" -type f | sort
