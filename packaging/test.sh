#!/usr/bin/env bash
# Tests what 'make packages TARGETS="linux/amd64 linux/mips"' made: texts by the
# tools that read them, packages by installing and removing them in a clean
# Debian, the unit by booting that Debian and scanning it.
#
# What needs a tool that is not there, or root, is skipped and says so. Debian:
#   busybox debootstrap fail2ban fish mandoc nmap rpm shellcheck systemd
#   systemd-container zsh; and crowdsec, which --no-install-recommends leaves small
# shellcheck disable=SC2001,SC2013,SC2015,SC2016 # style only
set -euo pipefail
cd "$(dirname "$0")/.."

VERSION=${VERSION:-$(cat VERSION)}
NEXT=99.0.0
OUT=$PWD/out/packages
STAGE=$PWD/out/stage
PROGRAM=$PWD/bin/edgescan-linux-amd64
BASE=$PWD/out/debian # a clean Debian, kept from run to run
WORK=$(mktemp -d)
trap cleanup EXIT
chmod 755 "$WORK" # the user edgescan has to get through

cleanup() {
  kill_all
  rm -rf "$WORK"
}

declare -a started=()
kill_all() {
  for pid in "${started[@]}"; do
    kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null || true
  done
  started=()
}

fail() {
  echo "FAIL: $*" >&2
  exit 1
}

# need TOOL...: whether all are there.
need() {
  for tool in "$@"; do
    if ! PATH=$PATH:/usr/sbin:/sbin command -v "$tool" >/dev/null; then
      echo "   skipped: it needs $tool"
      return 1
    fi
  done
}

need_root() {
  [ "$(id -u)" = 0 ] && return
  echo "   skipped: it needs root"
  return 1
}

# same WHAT WANT GOT
same() {
  [ "$2" = "$3" ] || fail "$1:
$(diff <(echo "$2") <(echo "$3"))"
}

# wait_for SECONDS COMMAND...
wait_for() {
  local until=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $until ] || return 1
    sleep 0.2
  done
}

test_scripts() {
  need shellcheck || return 0
  shellcheck packaging/*.sh packaging/scripts/*.sh packaging/openwrt/edgescan.init packaging/openwrt/banip-relay packaging/openrc/edgescan.init packaging/testdata/openwrt.sh
}

# The examples come first on purpose, and not every system has the manuals that
# ours points to.
test_manual() {
  need mandoc || return 0
  for manual in edgescan.1 edgescan.yaml.5; do
    same "mandoc -Tlint $manual" "" "$(mandoc -Tlint "$STAGE/man/$manual" 2>&1 | grep -v -e 'sections out of conventional order: Sh DESCRIPTION' -e 'referenced manual not found' -e 'outdated mandoc.db')"
  done
  same "names of flags that the manual lacks" "" \
    "$("$PROGRAM" run --help | grep -oE '^ +(-., )?--[a-z-]+' | grep -oE -- '--[a-z-]+' | grep -v help | while read -r flag; do
      grep -q -e "Fl Fl ${flag#--}\b" "$STAGE/man/edgescan.1" || echo "$flag"
    done)"
  same "keys that edgescan.yaml(5) lacks" "" \
    "$("$PROGRAM" config init | sed -n 's/^#\([a-z-]*\):.*/\1/p' | while read -r key; do
      grep -q "^.It Ic $key :" "$STAGE/man/edgescan.yaml.5" || echo "$key"
    done)"
  need man || return 0
  for manual in edgescan.1 edgescan.yaml.5; do
    same "man --warnings $manual" "" "$(LC_ALL=C.UTF-8 MANROFFSEQ='' MANWIDTH=80 man --warnings -E UTF-8 -l -Tutf8 -Z "$STAGE/man/$manual" 2>&1 >/dev/null)"
  done
}

test_settings() {
  same "edgescan config check" "packaging/edgescan.yaml is right" "$("$PROGRAM" config check packaging/edgescan.yaml)"
  same "what the service begins with" "interface: [eth0] memory: 32MiB spool: /var/lib/edgescan/spool syslog: [local]" \
    "$("$PROGRAM" config check packaging/edgescan.yaml --show | sed -n 's/ *# packaging.*//p' | sort | tr '\n' ' ' | sed 's/ $//')"
  sed 's/^# \([a-z]*: \)/\1/' packaging/edgescan.yaml >"$WORK/more.yaml"
  "$PROGRAM" config check "$WORK/more.yaml" >/dev/null || fail "what edgescan.yaml has behind a # is wrong"
}

test_completions() {
  bash -n "$STAGE/completions/edgescan.bash"
  same "what the program completes" "--interface" "$("$PROGRAM" __complete run --inte 2>/dev/null | sed -n 's/\t.*//p' | tr '\n' ' ' | sed 's/ $//')"
  ! need zsh || zsh -n "$STAGE/completions/edgescan.zsh"
  ! need fish || fish -n "$STAGE/completions/edgescan.fish"
}

# The score is what systemd-analyze thinks the service exposes, of 10.
test_unit() {
  need systemd-analyze || return 0
  local unit=$WORK/edgescan.service score
  sed "s|^ExecStart=/usr/bin/edgescan|ExecStart=$PROGRAM|; /^Documentation=/d" packaging/systemd/edgescan.service >"$unit"
  same "systemd-analyze verify" "" "$(systemd-analyze verify "$unit" 2>&1)"
  score=$(systemd-analyze security --offline=true --no-pager packaging/systemd/edgescan.service | sed -n 's/.*exposure level for edgescan.service: \([0-9.]*\) .*/\1/p')
  echo "   exposure $score"
  [ "${score/./}" -le 20 ] || fail "the unit exposes more than 2.0: $score"
}

# lines prints what may be banned, or -, and a message, TAB between: those of
# lines.txt, and what the program says of the sample.
lines() {
  sed -e '/^#/d' -e 's/ /\t/' packaging/testdata/lines.txt
  "$PROGRAM" run -r testdata/sample.pcap.gz 2>/dev/null | cut -d' ' -f3- | awk '{ print ($2 == "start" ? $3 : "-") "\t" $0 }'
}

bannable() { lines | cut -f1 | grep -v '^-'; }

# hostile are lines of other programs, into which a stranger brought an alert.
hostile='nginx[7]: GET / edgescan[1]: scan start 192.0.2.1 vertical: 5 tcp ports
dnsmasq-dhcp[9]: DHCPACK(br-lan) 10.0.0.7 edgescan: scan start 192.0.2.1 vertical: 5'

# log prints them as a file of syslog does.
log() {
  lines | cut -f2 | sed 's/^/Nov 25 03:55:55 router edgescan[31]: /'
  echo "$hostile" | sed 's/^/Nov 25 03:55:55 router /'
}

test_fail2ban() {
  need fail2ban-regex || return 0
  mkdir -p "$WORK/fail2ban"
  cp -r /etc/fail2ban/. "$WORK/fail2ban"
  rm -f "$WORK"/fail2ban/jail.d/*
  cp packaging/snippets/fail2ban/filter.conf "$WORK/fail2ban/filter.d/edgescan.conf"
  cp packaging/snippets/fail2ban/jail.conf "$WORK/fail2ban/jail.d/edgescan.conf"
  log >"$WORK/log"
  same "what fail2ban bans" "$(bannable)" "$(fail2ban-regex -c "$WORK/fail2ban" -o '<ip>' "$WORK/log" edgescan)"
  need fail2ban-client || return 0
  fail2ban-client -c "$WORK/fail2ban" --test >"$WORK/out" 2>&1 || fail "the jail: $(cat "$WORK/out")"
}

# CrowdSec itself reads the parser and the scenario, with a server of its own.
test_crowdsec() {
  need crowdsec cscli || return 0
  local dir=$WORK/crowdsec
  mkdir -p "$dir"/{hub,data,parsers/s00-raw,parsers/s01-parse,scenarios}
  cp -r /etc/crowdsec/patterns "$dir"
  cp /usr/share/crowdsec/hub/parsers/s00-raw/crowdsecurity/syslog-logs.yaml "$dir/parsers/s00-raw/"
  cp packaging/snippets/crowdsec/parser.yaml "$dir/parsers/s01-parse/edgescan.yaml"
  cp packaging/snippets/crowdsec/scenario.yaml "$dir/scenarios/edgescan.yaml"
  echo '{"parsers":{},"scenarios":{},"postoverflows":{},"collections":{}}' >"$dir/hub/.index.json"
  echo 'simulation: false' >"$dir/simulation.yaml"
  touch "$dir/lapi.yaml" "$dir/acquis.yaml"
  cat >"$dir/config.yaml" <<END
common: {daemonize: false, log_media: stdout, log_level: info, working_dir: $dir}
config_paths: {config_dir: $dir, data_dir: $dir/data, simulation_path: $dir/simulation.yaml, hub_dir: $dir/hub, index_path: $dir/hub/.index.json}
crowdsec_service: {acquisition_path: $dir/acquis.yaml, parser_routines: 1}
cscli: {output: human, color: false}
db_config: {type: sqlite, db_path: $dir/data/db}
api: {client: {credentials_path: $dir/lapi.yaml}, server: {log_level: info, listen_uri: "127.0.0.1:18080", profiles_path: /etc/crowdsec/profiles.yaml}}
prometheus: {enabled: false}
END
  cscli -c "$dir/config.yaml" machines add test --auto -f "$dir/lapi.yaml" >"$WORK/out" 2>&1 || fail "cscli: $(cat "$WORK/out")"
  timeout 60 crowdsec -c "$dir/config.yaml" -no-cs >"$dir/server.log" 2>&1 &
  started+=($!)
  wait_for 20 grep -q 'listening on' "$dir/server.log" || fail "crowdsec: $(cat "$dir/server.log")"
  log >"$WORK/log"
  timeout 60 cscli -c "$dir/config.yaml" explain -v --file "$WORK/log" --type syslog >"$WORK/out" 2>&1 || fail "cscli: $(cat "$WORK/out")"
  same "what CrowdSec takes for scanners" "$(bannable | sort -u)" "$(sed -n 's/.*create evt.Meta.source_ip : //p' "$WORK/out" | sort -u)"
  same "lines that set the scenario off" "$(bannable | wc -l)" "$(grep -c '🟢 edgescan/scan$' "$WORK/out")"
  kill_all
}

# banIP takes the last address of a line that has the term.
test_banip() {
  need busybox || return 0
  local relayed
  relayed=$({
    lines | cut -f2 | sed -e '/^scan start/{s/^/daemon.warn edgescan[31]: /;b' -e '}' -e 's/^/daemon.notice edgescan[31]: /'
    echo "$hostile" | sed 's/^/daemon.warn /'
    echo 'daemon.notice edgescan[31]: scan start 192.0.2.1 vertical: not a warning'
  } | sed 's/^/Wed Nov  5 03:55:55 2026 /' | busybox ash -c 'logread() { cat; }; logger() { echo "$2: $5"; }; . packaging/openwrt/banip-relay')
  same "what banIP is told" "$(bannable | sed 's/^/edgescan-ban: /')" "$relayed"
}

# openwrt CONFIG FUNCTION runs a function of the init script.
openwrt() {
  sed "s|/lib/functions/network.sh|/dev/null|" packaging/openwrt/edgescan.init >"$WORK/init"
  CONFIG=$1 busybox ash -euc '. packaging/testdata/openwrt.sh; . "$0"; "$1"' "$WORK/init" "$2"
}

test_openwrt() {
  need busybox || return 0
  local settings='; respawn 3600 10 0; stderr 1; limits core=0' got
  same "instances by default" "main: /usr/bin/edgescan run --interface=br-lan --memory=32MiB --leases-file=/tmp/dhcp.leases --syslog=local$settings" "$(openwrt packaging/openwrt/edgescan.config start_service)"
  same "triggers by default" "on change of edgescan
on interface lan" "$(openwrt packaging/openwrt/edgescan.config service_triggers)"
  sed "s|FOLDER|$WORK|" packaging/testdata/full.config >"$WORK/full"
  got=$(openwrt "$WORK/full" start_service)
  same "instances of every option" "log: -t edgescan -p daemon.notice network guest is not up
owner root
main: /usr/bin/edgescan run --interface=br-lan --interface=eth1 --interface=eth2 --json=$WORK/json/eve.json --memory=64MiB --user=root --spool=/mnt/usb/spool --block=dry-run --block-for=2h --metrics=127.0.0.1:9469 --web=127.0.0.1:8469 --leases-file=/tmp/dhcp.leases --syslog=local --syslog=udp://10.0.0.9:514 --inside=192.0.2.0/24 --incoming --show-allowed '--allow=source=192.168.1.9 reason=\"the monitoring host\"' --allow=source=192.168.1.8 --rings=2$settings
main-banip: /usr/libexec/edgescan-banip-relay; respawn 3600 10 0
log: -t edgescan -p daemon.notice network guest is not up
log: -t edgescan -p daemon.err nothing to watch: set network or device in section nothing of /etc/config/edgescan" "$got"
  [ -d "$WORK/json" ] || fail "no folder for the JSON file"
  # The program knows all these flags.
  eval "set -- $(echo "$got" | sed -n 's|^main: /usr/bin/edgescan \([^;]*\);.*|\1|p')"
  "$PROGRAM" "$@" --help >/dev/null
  local help
  help=$("$PROGRAM" run --help)
  for option in $(sed -n 's/^\(VALUES\|SWITCHES\|WORDS\|LISTS\)="\(.*\)"/\2/p' packaging/openwrt/edgescan.init | sed 's/^$VALUES //' | tr _ -); do
    grep -q -e "--$option\b" <<<"$help" || fail "run has no --$option"
  done
}

# base makes the clean Debian, once.
base() {
  [ -e "$BASE/.complete" ] && return
  rm -rf "$BASE"
  mkdir -p "$(dirname "$BASE")"
  debootstrap --variant=minbase --include=systemd,systemd-sysv,logrotate "${SUITE:-bookworm}" "$BASE" >"$WORK/debootstrap.log" || fail "debootstrap: $(tail "$WORK/debootstrap.log")"
  rm -rf "$BASE"/var/cache/apt/archives/*.deb
  touch "$BASE/.complete"
}

# clean NAME copies it.
clean() {
  base
  cp -a "$BASE" "$WORK/$1"
}

# left ROOT lists what is there but for what is the package managers' own.
left() {
  (cd "$1" && find . -path ./var/lib/dpkg -prune -o -path ./var/lib/rpm -prune -o -path ./usr/lib/sysimage -prune -o -path './var/cache/*' -prune -o -print |
    grep -v -e '^./etc/\(passwd\|group\|shadow\|gshadow\)-$' -e '^./etc/.pwd.lock$' -e '^./var/log/dpkg.log$' | sort)
}

# next FORMAT ARCH OUT makes the same package as a later version.
next() {
  MAINTAINER=tester VERSION=$NEXT ARCH=$2 "$STAGE/nfpm" package --config packaging/nfpm-systemd.yaml --packager "$1" --target "$3" >/dev/null
}

# runs ROOT: what is installed there runs.
runs() {
  same "version" "edgescan version $VERSION" "$(chroot "$1" /usr/bin/edgescan --version | cut -d' ' -f1-3)"
  cp testdata/sample.pcap.gz "$1/tmp/"
  same "scans in the sample" 3 "$(chroot "$1" /usr/bin/edgescan run -r /tmp/sample.pcap.gz 2>/dev/null | grep -c 'scan start')"
  rm "$1/tmp/sample.pcap.gz"
}

# works ROOT: it runs, and its user is there.
works() {
  runs "$1"
  chroot "$1" id edgescan >/dev/null
}

test_deb() {
  need_root && need dpkg-deb debootstrap || return 0
  local root=$WORK/deb before conf
  clean deb
  before=$(left "$root")
  mkdir "$root/deb"
  cp "$OUT/deb/edgescan_${VERSION}_amd64.deb" "$root/deb/now.deb"
  cp "$PROGRAM" "$STAGE/program"
  next deb amd64 "$root/deb/next.deb"
  chroot "$root" dpkg -i /deb/now.deb >"$WORK/out" 2>&1 || fail "install: $(cat "$WORK/out")"
  grep -q 'name the interfaces' "$WORK/out" || fail "installation does not say what comes next: $(cat "$WORK/out")"
  works "$root"
  chroot "$root" logrotate -d /etc/logrotate.d/edgescan >"$WORK/out" 2>&1 || fail "logrotate: $(cat "$WORK/out")"
  chroot "$root" systemctl enable edgescan >/dev/null 2>&1

  conf=$root/etc/edgescan/edgescan.yaml
  echo "# mine" >>"$conf"
  chroot "$root" dpkg -i /deb/next.deb >"$WORK/out" 2>&1 </dev/null || fail "upgrade: $(cat "$WORK/out")"
  grep -q '# mine' "$conf" || fail "an upgrade lost the settings"
  [ -L "$root/etc/systemd/system/multi-user.target.wants/edgescan.service" ] || fail "an upgrade disabled the service"

  chroot "$root" dpkg -r edgescan >"$WORK/out" 2>&1 || fail "removal: $(cat "$WORK/out")"
  [ ! -e "$root/usr/bin/edgescan" ] || fail "removal left the program"
  grep -q '# mine' "$conf" || fail "removal lost the settings"
  mkdir -p "$root/var/lib/edgescan/spool" "$root/var/log/edgescan"
  chroot "$root" dpkg -P edgescan >"$WORK/out" 2>&1 || fail "purge: $(cat "$WORK/out")"
  rm -r "$root/deb"
  same "what purge leaves" "$before" "$(left "$root")"
  ! chroot "$root" id edgescan 2>/dev/null || fail "purge left the user"
  rm -rf "$root"
}

# A system without systemd, and without what makes users.
test_deb_bare() {
  need_root && need dpkg-deb debootstrap || return 0
  local root=$WORK/bare
  clean bare
  rm -f "$root"/usr/bin/systemctl "$root"/bin/systemctl "$root"/usr/bin/systemd-sysusers "$root"/bin/systemd-sysusers "$root"/usr/sbin/useradd "$root"/usr/sbin/userdel
  cp "$OUT/deb/edgescan_${VERSION}_amd64.deb" "$root/now.deb"
  for step in "-i /now.deb" "-r edgescan" "-P edgescan"; do
    # shellcheck disable=SC2086
    chroot "$root" dpkg $step >"$WORK/out" 2>&1 || fail "dpkg $step: $(cat "$WORK/out")"
  done
  rm -rf "$root"
}

test_rpm() {
  need_root && need rpm debootstrap || return 0
  local root=$WORK/rpm conf
  clean rpm
  cp "$PROGRAM" "$STAGE/program"
  next rpm x86_64 "$WORK/next.rpm"
  rpm --root "$root" --nodeps -i "$OUT/rpm/edgescan_${VERSION}_x86_64.rpm" >"$WORK/out" 2>&1 || fail "install: $(cat "$WORK/out")"
  works "$root"
  conf=$root/etc/edgescan/edgescan.yaml
  echo "# mine" >>"$conf"
  rpm --root "$root" --nodeps -U "$WORK/next.rpm" >"$WORK/out" 2>&1 || fail "upgrade: $(cat "$WORK/out")"
  grep -q '# mine' "$conf" || fail "an upgrade lost the settings"
  chroot "$root" id edgescan >/dev/null || fail "an upgrade removed the user"
  rpm --root "$root" -e edgescan >"$WORK/out" 2>&1 || fail "removal: $(cat "$WORK/out")"
  [ ! -e "$root/usr/bin/edgescan" ] || fail "removal left the program"
  grep -q '# mine' "$conf.rpmsave" || fail "removal lost the settings"
  rm -rf "$root"
}

# contents of packages whose package managers are not here
test_ipk() {
  local arch dir
  for arch in mips_24kc x86_64; do
    dir=$WORK/ipk-$arch
    mkdir -p "$dir"/{control,data}
    tar xzf "$OUT/openwrt/edgescan_${VERSION}_$arch.ipk" -C "$dir"
    same "format" 2.0 "$(cat "$dir/debian-binary")"
    tar xzf "$dir/control.tar.gz" -C "$dir/control"
    tar xzf "$dir/data.tar.gz" -C "$dir/data"
    same "architecture" "Architecture: $arch" "$(grep Architecture "$dir/control/control")"
    same "settings to keep" /etc/config/edgescan "$(cat "$dir/control/conffiles")"
    same "files" "./etc/config/edgescan 600
./etc/init.d/edgescan 755
./usr/bin/edgescan 755
./usr/libexec/edgescan-banip-relay 755" "$(cd "$dir/data" && find . -type f -printf '%p %m\n' | sort)"
    sh -n "$dir/control/postinst" && sh -n "$dir/control/prerm"
  done
  same "version" "edgescan version $VERSION" "$("$WORK/ipk-x86_64/data/usr/bin/edgescan" --version | cut -d' ' -f1-3)"
  need qemu-mips || return 0
  same "scans on MIPS" 3 "$(qemu-mips "$WORK/ipk-mips_24kc/data/usr/bin/edgescan" run -r testdata/sample.pcap.gz 2>/dev/null | grep -c 'scan start')"
}

test_apk() {
  local dir=$WORK/apk
  for each in openwrt/edgescan_${VERSION}_mips_24kc.apk:mips_24kc:etc/config/edgescan alpine/edgescan_${VERSION}_x86_64.apk:x86_64:etc/edgescan/edgescan.yaml; do
    IFS=: read -r file arch conf <<<"$each"
    rm -rf "$dir" && mkdir "$dir"
    tar xzf "$OUT/$file" -C "$dir" --warning=no-unknown-keyword
    same "architecture" "arch = $arch" "$(grep ^arch "$dir/.PKGINFO")"
    for path in "$conf" usr/bin/edgescan etc/init.d/edgescan .post-install .pre-deinstall; do
      [ -f "$dir/$path" ] || fail "$file has no $path"
    done
    [ -x "$dir/etc/init.d/edgescan" ] || fail "the init script of $file cannot be started"
  done
  same "scans in the sample" 3 "$("$dir/usr/bin/edgescan" run -r testdata/sample.pcap.gz 2>/dev/null | grep -c 'scan start')"
}

# small_root ROOT makes a system of busybox, whose COMMAND... only write down in
# /calls that they were called.
small_root() {
  local root=$1 lib
  mkdir -p "$root"/{bin,dev,etc/rc.d,etc/init.d,lib,lib64,proc,tmp,usr/bin}
  mknod -m 666 "$root/dev/null" c 1 3
  cp "$(command -v busybox)" "$root/bin/"
  for lib in $(ldd "$root/bin/busybox" 2>/dev/null | grep -oE '/[^ ]+'); do
    mkdir -p "$root$(dirname "$lib")"
    cp "$lib" "$root$lib"
  done
  chroot "$root" /bin/busybox --install -s /bin
  : >"$root/etc/passwd" && : >"$root/etc/group"
  for command in "${@:2}"; do
    rm -f "$root/bin/$command"
    printf '#!/bin/sh\necho "%s $*" >>/calls\n' "$command" >"$root/bin/$command"
    chmod 755 "$root/bin/$command"
  done
}

# calls ROOT prints what was called since the last time.
calls() {
  cat "$1/calls" 2>/dev/null || true
  rm -f "$1/calls"
}

# What opkg and OpenWrt's apk do with the package: unpack it, run its scripts, and
# remove its files but for settings. OpenWrt's own rc.common is not here; what it is
# asked for is written down.
test_openwrt_install() {
  need_root && need busybox || return 0
  local root=$WORK/router package=$WORK/router-package
  small_root "$root"
  printf '#!/bin/sh\necho "$(basename "$1") $2" >>/calls\n' >"$root/etc/rc.common"
  chmod 755 "$root/etc/rc.common"
  mkdir -p "$package"
  tar xzf "$OUT/openwrt/edgescan_${VERSION}_x86_64.ipk" -C "$package"
  tar xzf "$package/data.tar.gz" -C "$root"
  tar xzf "$package/control.tar.gz" -C "$root/tmp"
  chroot "$root" /bin/sh /tmp/postinst configure
  same "what installation does" "edgescan enable
edgescan restart" "$(calls "$root")"
  runs "$root"
  chroot "$root" /bin/sh /tmp/prerm remove
  same "what removal does" "edgescan stop
edgescan disable" "$(calls "$root")"
  tar tzf "$package/data.tar.gz" | grep -v '/$' | grep -vxFf <(sed 's|^|.|' "$root/tmp/conffiles") | (cd "$root" && xargs rm)
  same "what removal leaves" ./etc/config/edgescan "$(cd "$root" && find . -name '*edgescan*')"

  # Into an image that is being built, where nothing of it can run.
  rm -f "$root/etc/config/edgescan"
  tar xzf "$OUT/openwrt/edgescan_${VERSION}_mips_24kc.apk" -C "$root" --warning=no-unknown-keyword
  IPKG_INSTROOT=$root sh "$root/.post-install"
  same "what starts with the image" ../init.d/edgescan "$(readlink "$root/etc/rc.d/S95edgescan")"
  same "what an image has run" "" "$(calls "$root")"
}

# The same of Alpine Linux.
test_alpine_install() {
  need_root && need busybox || return 0
  local root=$WORK/alpine
  small_root "$root" addgroup adduser rc-service rc-update
  tar xzf "$OUT/alpine/edgescan_${VERSION}_x86_64.apk" -C "$root" --warning=no-unknown-keyword
  chroot "$root" /bin/sh /.post-install "$VERSION" >"$WORK/out"
  grep -q 'name the interfaces' "$WORK/out" || fail "installation does not say what comes next: $(cat "$WORK/out")"
  same "what installation does" "addgroup -S edgescan
adduser -S -D -H -h /nonexistent -s /sbin/nologin -G edgescan -g edgescan edgescan" "$(calls "$root")"
  runs "$root"
  chroot "$root" /usr/bin/edgescan config check /etc/edgescan/edgescan.yaml >/dev/null || fail "the settings are wrong"
  chroot "$root" /bin/sh /.pre-deinstall "$VERSION"
  same "what removal does" "rc-service --ifstarted edgescan stop
rc-update del edgescan" "$(calls "$root")"
}

# Packages signed with keys that are made for it. What an .apk is signed with, its name
# tells; that apk takes it is not tried here.
test_signatures() {
  need gpg openssl rpm || return 0
  local keys=$WORK/keys signed=$WORK/signed
  mkdir -m 700 "$keys" "$keys/gnupg" "$signed"
  export GNUPGHOME=$keys/gnupg
  gpg --batch --quiet --passphrase '' --quick-gen-key 'tester <tester@example.invalid>' rsa2048 sign never 2>/dev/null
  gpg --batch --armor --export-secret-keys >"$keys/secret"
  gpg --batch --armor --export >"$keys/public"
  openssl genrsa -out "$keys/rsa" 2048 2>/dev/null
  cp "$PROGRAM" "$STAGE/program"
  for each in systemd:deb:amd64 systemd:rpm:x86_64 openwrt:apk:x86_64; do
    IFS=: read -r config format arch <<<"$each"
    MAINTAINER='tester <tester@example.invalid>' PGP_KEY=$keys/secret APK_KEY=$keys/rsa VERSION=$VERSION ARCH=$arch \
      "$STAGE/nfpm" package --config "packaging/nfpm-$config.yaml" --packager "$format" --target "$signed/edgescan.$format" >/dev/null
  done
  (cd "$signed" && ar x edgescan.deb && cat debian-binary control.tar.gz data.tar.gz | gpg --verify _gpgorigin - 2>"$WORK/out") || fail "the .deb: $(cat "$WORK/out")"
  rpm --dbpath "$keys/rpm" --import "$keys/public"
  same "the .rpm" "digests signatures OK" "$(rpm --dbpath "$keys/rpm" -K "$signed/edgescan.rpm" | cut -d: -f2 | sed 's/^ //')"
  same "the .apk" .SIGN.RSA.tester@example.invalid.rsa.pub "$(tar tzf "$signed/edgescan.apk" --warning=no-unknown-keyword 2>/dev/null | head -1)"
  gpgconf --kill all
  unset GNUPGHOME
}

# inside COMMAND... runs it in the Debian that was booted.
inside() { nsenter -t "$init" -m -u -i -n -p "$@"; }

journal() { inside journalctl --no-pager -o cat -u edgescan -t edgescan; }

# The unit on a Debian that was booted: real scans, from here.
test_service() {
  need_root && need systemd-nspawn debootstrap nmap ip || return 0
  local root=$WORK/booted unit=/etc/systemd/system/edgescan.service.d link=""
  clean booted
  cp "$OUT/deb/edgescan_${VERSION}_amd64.deb" "$root/now.deb"
  chroot "$root" dpkg -i /now.deb >"$WORK/out" 2>&1 || fail "install: $(cat "$WORK/out")"
  sed -i -e 's/^interface: .*/interface: [host0]/' -e 's/^# json:/json:/' "$root/etc/edgescan/edgescan.yaml"
  mkdir "$root$unit"
  printf '[Service]\nWatchdogSec=2\n' >"$root$unit/watchdog.conf" # so that it would be missed
  chroot "$root" systemctl enable edgescan >/dev/null 2>&1
  timeout 120 systemd-nspawn --register=no --keep-unit --machine=edgescan-test -D "$root" --network-veth --boot \
    --system-call-filter="landlock_create_ruleset landlock_add_rule landlock_restrict_self" >"$WORK/boot.log" 2>&1 </dev/null &
  started+=($!)
  local timeout=$!
  wait_for 20 child_of "$timeout" || fail "no boot: $(tail "$WORK/boot.log")"
  link=$(ip -o link | sed -n 's/^[0-9]*: \(ve-edgescan[^@:]*\).*/\1/p')
  wait_for 30 inside systemctl is-active edgescan || fail "the service: $(inside systemctl status edgescan; journal)"
  nsenter -t "$init" -n ip addr add 198.18.7.2/24 dev host0 # the tools are ours
  nsenter -t "$init" -n ip link set host0 up
  ip addr add 198.18.7.1/24 dev "$link"
  ip addr add 198.18.7.3/24 dev "$link"
  ip link set "$link" up
  wait_for 10 journal_has 'watching' || fail "not watching: $(journal)"
  scan 198.18.7.1
  wait_for 20 journal_has 'scan start 198.18.7.1 vertical' || fail "no alert in the journal: $(journal)"
  same "alerts in the journal" 1 "$(journal | grep -c 'scan start 198.18.7.1')"
  grep -q 198.18.7.1 "$root/var/log/edgescan/eve.json" || fail "no alert in the JSON file"
  ! journal_has 'kept=' || fail "not all was given up: $(journal | grep kept=)"

  sed -i 's/^memory:.*/memory: 33MiB/' "$root/etc/edgescan/edgescan.yaml"
  inside systemctl reload edgescan || fail "reload: $(journal)"
  wait_for 10 journal_has 'need_a_restart=.*memory' || fail "no reload: $(journal)"

  inside logrotate -f /etc/logrotate.d/edgescan
  scan 198.18.7.3
  wait_for 20 grep -q 198.18.7.3 "$root/var/log/edgescan/eve.json" || fail "no new JSON file after rotation: $(journal)"
  grep -q 198.18.7.1 "$root/var/log/edgescan/eve.json.1" || fail "the rotated file is not there"

  wait_for 20 status_has packets || fail "no status: $(inside systemctl status edgescan)"
  same "restarts by the watchdog" NRestarts=0 "$(inside systemctl show edgescan -p NRestarts)"

  cp packaging/snippets/systemd/block.conf "$root$unit/"
  printf 'block: on\nallow: [source=198.18.7.1 reason="the operator"]\n' >>"$root/etc/edgescan/edgescan.yaml"
  inside systemctl daemon-reload
  inside systemctl restart edgescan || fail "blocking: $(journal)"
  if need nft; then
    wait_for 10 nsenter -t "$init" -n nft list table inet edgescan || fail "no table to block with: $(journal)"
  fi
  ! journal_has 'kept=' || fail "not all was given up: $(journal | grep kept=)"

  cp "$PROGRAM" "$STAGE/program"
  next deb amd64 "$root/next.deb"
  local before
  before=$(inside systemctl show edgescan -p MainPID)
  inside dpkg -i /next.deb >"$WORK/out" 2>&1 </dev/null || fail "upgrade: $(cat "$WORK/out")"
  [ "$before" != "$(inside systemctl show edgescan -p MainPID)" ] || fail "an upgrade did not restart the service"
  same "after an upgrade" active "$(inside systemctl is-active edgescan)"

  inside systemctl stop edgescan
  same "how it ended" "Result=success" "$(inside systemctl show edgescan -p Result)"
  inside systemctl start edgescan
  inside dpkg -P edgescan >"$WORK/out" 2>&1 || fail "purge: $(cat "$WORK/out")"
  same "after removal" inactive "$(inside systemctl is-active edgescan)"
  kill "$(pgrep -P "$timeout")"
  kill_all
  rm -rf "$root"
}

# child_of TIMEOUT finds the first process of what nspawn boots.
child_of() {
  local nspawn
  nspawn=$(pgrep -P "$1") && init=$(pgrep -P "$nspawn" | head -1) && [ -n "$init" ] && inside systemctl is-system-running 2>&1 | grep -qE 'running|degraded|starting'
}

journal_has() { journal | grep -q -e "$1"; }

status_has() { inside systemctl show edgescan -p StatusText | grep -q -e "$1"; }

scan() { timeout 60 nmap -n -Pn -sS -e "$link" -S "$1" -p 1-200 198.18.7.2 >/dev/null; }

tests=${*:-scripts manual settings completions unit fail2ban crowdsec banip openwrt deb deb_bare rpm ipk apk openwrt_install alpine_install signatures service}
for name in $tests; do
  printf -- '-- %s (%ss)\n' "$name" "$SECONDS"
  "test_$name"
done
echo "ok (${SECONDS}s)"
