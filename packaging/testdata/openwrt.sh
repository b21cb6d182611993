# shellcheck shell=sh disable=SC2034,SC3043,SC2154
# Stands in for what OpenWrt gives an init script: UCI (the file $CONFIG, as
# SECTION|KEY|VALUE in memory), networks, procd, logger, chown. What procd is told is
# printed, an instance a line.

config_load() {
	local kind key value section=
	database=
	while read -r kind key value; do
		value="${value#\'}" value="${value%\'}"
		case "$kind" in
		config) section="$value" ;;
		option | list) database="$database$section|$key|$value
" ;;
		esac
	done <"$CONFIG"
}

stub_values() { printf %s "$database" | awk -F'|' -v s="$1" -v k="$2" '$1 == s && $2 == k { print $3 }'; }

config_foreach() {
	local section
	for section in $(printf %s "$database" | cut -d'|' -f1 | uniq); do
		"$1" "$section"
	done
}

config_get() {
	local stub_value
	stub_value="$(stub_values "$2" "$3")"
	eval "$1=\${stub_value:-\${4-}}"
}

config_get_bool() {
	config_get "$@"
	eval "case \"\$$1\" in 1 | on | true | yes | enabled) $1=1 ;; *) $1=0 ;; esac"
}

config_list_foreach() {
	local section="$1" option="$2" callback="$3" stub_item
	stub_items="$(stub_values "$section" "$option")"
	while read -r stub_item; do
		[ -z "$stub_item" ] || "$callback" "$stub_item"
	done <<-END
		$stub_items
	END
}

network_get_device() {
	case "$2" in
	lan) eval "$1=br-lan" ;;
	wan) eval "$1=eth1" ;;
	*) return 1 ;;
	esac
}

procd_open_instance() { instance="$1:" settings=; }
procd_set_param() {
	case "$1" in
	command) shift && instance="$instance $*" ;;
	*) settings="$settings; $*" ;;
	esac
}
procd_append_param() { shift && instance="$instance $(printf %s "$1" | sed "s/.* .*/'&'/")"; } # quoted where a shell would want it
procd_close_instance() { echo "$instance$settings"; }
procd_add_reload_trigger() { echo "on change of $1"; }
procd_add_reload_interface_trigger() { echo "on interface $1"; }
chown() { echo "owner $1"; }
logger() { echo "log: $*"; }
