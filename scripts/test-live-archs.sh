#!/usr/bin/env bash
# Live capture on other architectures: the capture package's live tests, and the
# program while ports are tried, on emulated machines with Debian's kernels: one
# of 32 bits, one with the other byte order. A packet ring needs a kernel of the
# architecture, so qemu-user, which translates system calls, cannot do this.
#
# As root on Debian it installs qemu-system. The kernels are fetched with an apt
# state of its own from where the machine has its packages, and are not installed.
#
# Debian has no kernel of 32 bits with the other byte order any more. MIPS=1 builds
# one from Debian's linux-source, in five to ten minutes, and tests on it as well.
#
# KEEP=folder keeps what was fetched and built, for the next time.
set -euo pipefail
cd "$(dirname "$0")/.."

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
keep=$(realpath -m "${KEEP:-$tmp/keep}")
go=${GO:-go}
export CGO_ENABLED=0
patience=300 # seconds that a machine may take

# skip NAME WHAT : what is lacking is no failure.
skip() { echo "test-live-archs: $1 skipped, it needs $2"; }

# emulator PROGRAM PACKAGE... : installs the first of the packages that there is.
emulator() {
  local program=$1 package
  shift
  command -v "$program" >"$tmp/log" && return
  [ "$(id -u)" = 0 ] && command -v apt-get >"$tmp/log" || return 1
  apt-get update -q >"$tmp/log" 2>&1 || true # one source of many may be out of reach
  for package; do
    DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$package" >"$tmp/log" 2>&1 && break
  done
  command -v "$program" >"$tmp/log"
}

# debian_kernel ARCH PACKAGE : the kernel and its modules below $keep/ARCH.
debian_kernel() {
  local arch=$1 package=$2 folder=$keep/$1
  compgen -G "$folder/boot/vmlinu*" >"$tmp/log" && return
  command -v apt-get >"$tmp/log" && command -v dpkg-deb >"$tmp/log" || return 1
  local apt=$tmp/apt-$arch
  mkdir -p "$apt/state/lists/partial" "$apt/cache/archives/partial" "$folder"
  : >"$apt/status"
  local options=(-o "Dir::State=$apt/state" -o "Dir::Cache=$apt/cache" -o "Dir::State::status=$apt/status"
    -o "APT::Architecture=$arch" -o "APT::Architectures=$arch" -o APT::Sandbox::User=root)
  apt-get "${options[@]}" update >"$tmp/log" 2>&1 || true # other sources of the machine need not have the architecture
  package=$(apt-cache "${options[@]}" depends "$package" 2>"$tmp/log" | awk '$1 == "Depends:" { print $2; exit }')
  [ -n "$package" ] || return 1
  (cd "$apt" && apt-get "${options[@]}" download "$package") >"$tmp/log" 2>&1 || return 1
  dpkg-deb -x "$apt"/linux-image-*.deb "$folder"
}

# mips_kernel : builds $keep/mips/boot/vmlinux.
mips_kernel() {
  local folder=$keep/mips make=(make ARCH=mips CROSS_COMPILE=mips-linux-gnu-)
  [ -e "$folder/boot/vmlinux" ] && return
  if [ "$(id -u)" = 0 ] && command -v apt-get >"$tmp/log"; then
    DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends \
      gcc gcc-mips-linux-gnu libc6-dev make flex bison bc xz-utils linux-source >"$tmp/log" 2>&1 || return 1
  fi
  command -v mips-linux-gnu-gcc >"$tmp/log" && compgen -G '/usr/src/linux-source-*.tar.xz' >"$tmp/log" || return 1
  mkdir -p "$tmp/linux" "$folder/boot"
  tar -xf "$(compgen -G '/usr/src/linux-source-*.tar.xz' | tail -n 1)" -C "$tmp/linux" --strip-components 1
  "${make[@]}" -C "$tmp/linux" KCONFIG_ALLCONFIG="$PWD/scripts/guest/mips.config" allnoconfig >"$tmp/log" 2>&1 &&
    "${make[@]}" -C "$tmp/linux" -j "$(nproc)" vmlinux >"$tmp/log" 2>&1 || { tail -n 20 "$tmp/log"; return 1; }
  cp "$tmp/linux/vmlinux" "$folder/boot/"
}

# initramfs NAME KERNEL_FOLDER : all that the machine has, as $tmp/NAME.cpio.
initramfs() {
  local root=$tmp/$1 module file
  mkdir -p "$root/modules" "$root/bin" "$root/etc" "$root/dev" "$root/proc" "$root/sys" "$root/tmp"
  "$go" build -tags guest -o "$root/init" ./scripts/guest
  "$go" test -c -o "$root/capture.test" ./capture
  "$go" build -trimpath -tags device -o "$root/edgescan" ./cmd/edgescan
  ln -s ../init "$root/bin/ip"
  printf '%s\n' root:x:0:0::/:/ nobody:x:65534:65534::/:/ >"$root/etc/passwd"
  for module in veth tun; do # none if the kernel has them built in
    file=$(find "$2/" -name "$module.ko*" -print -quit)
    case $file in
      *.xz) xz -dc "$file" >"$root/modules/$module.ko" ;;
      *.zst) zstd -qdc "$file" >"$root/modules/$module.ko" ;;
      *.ko) cp "$file" "$root/modules/" ;;
    esac
  done
  (cd "$root" && find . | cpio --quiet -o -H newc) >"$tmp/$1.cpio"
}

# boot NAME KERNEL_FOLDER COMMAND... : runs the machine until it says how it went.
boot() {
  local name=$1 kernel began=$SECONDS
  kernel=$(find "$2/boot/" -name 'vmlinu*' -print -quit)
  shift 2
  timeout "$patience" "$@" -kernel "$kernel" -initrd "$tmp/$name.cpio" -m 512 -nic none -display none -no-reboot -monitor none \
    -serial stdio </dev/null 2>&1 | tr -d '\r' | tee "$tmp/$name.console" | grep -aE '^guest:|--- |\.go:|"event_type"|panic' || true
  if grep -aq '^guest: PASS' "$tmp/$name.console"; then
    echo "test-live-archs: $name: live tests pass, a scan is named ($((SECONDS - began))s)"
    return
  fi
  echo "test-live-archs: $name fails; its console ends:"
  tail -n 40 "$tmp/$name.console"
  return 1
}

failed=0
command -v cpio >"$tmp/log" || emulator cpio cpio || { skip "everything" "cpio"; exit 0; }

if ! emulator qemu-system-arm qemu-system-arm; then
  skip armhf "qemu-system-arm (Debian: qemu-system-arm)"
elif ! debian_kernel armhf linux-image-armmp; then
  skip armhf "Debian's linux-image-armmp"
else
  (export GOARCH=arm GOARM=7; initramfs armhf "$keep/armhf")
  boot armhf "$keep/armhf" qemu-system-arm -M virt -cpu cortex-a15 -append "console=ttyAMA0 panic=-1 loglevel=4" || failed=1
fi

if ! emulator qemu-system-s390x qemu-system-s390x qemu-system-misc; then
  skip s390x "qemu-system-s390x (Debian: qemu-system-s390x or qemu-system-misc)"
elif ! debian_kernel s390x linux-image-s390x; then
  skip s390x "Debian's linux-image-s390x"
else
  (export GOARCH=s390x; initramfs s390x "$keep/s390x")
  boot s390x "$keep/s390x" qemu-system-s390x -M s390-ccw-virtio -append "console=ttysclp0 panic=-1 loglevel=4" || failed=1
fi

if [ "${MIPS:-0}" = 1 ]; then
  if ! emulator qemu-system-mips qemu-system-mips; then
    skip mips "qemu-system-mips (Debian: qemu-system-mips)"
  elif ! mips_kernel; then
    skip mips "to build a kernel (Debian: linux-source gcc-mips-linux-gnu make flex bison bc)"
  else
    (export GOARCH=mips GOMIPS=softfloat; initramfs mips "$keep/mips")
    boot mips "$keep/mips" qemu-system-mips -M malta -cpu 24Kf -vga none -append "console=ttyS0 panic=-1 loglevel=4" || failed=1
  fi
fi
exit $failed
