package alert

import "strconv"

// portNames are the ports that operators know by name and that scanners try:
// those that nmap's nmap-services finds open most often, those of routers,
// cameras and industrial devices that bots look for, and what clusters and
// databases listen on. The names are those of IANA's registry of service names,
// or the customary ones where IANA has none or one that nobody uses (8291 is
// winbox).
var portNames = map[uint16]string{
	7: "echo", 13: "daytime", 17: "qotd", 19: "chargen", 21: "ftp", 22: "ssh",
	23: "telnet", 25: "smtp", 37: "time", 43: "whois", 49: "tacacs", 53: "dns",
	67: "dhcp", 69: "tftp", 70: "gopher", 79: "finger", 80: "http", 88: "kerberos",
	102: "iso-tsap", 110: "pop3", 111: "rpcbind", 113: "ident", 119: "nntp",
	123: "ntp", 135: "msrpc", 137: "netbios-ns", 138: "netbios-dgm",
	139: "netbios-ssn", 143: "imap", 161: "snmp", 162: "snmp-trap", 177: "xdmcp",
	179: "bgp", 389: "ldap", 427: "slp", 443: "https", 445: "smb", 465: "smtps",
	500: "isakmp", 502: "modbus", 512: "exec", 513: "login", 514: "syslog",
	515: "printer", 520: "rip", 548: "afp", 554: "rtsp", 587: "submission",
	593: "http-rpc-epmap", 623: "ipmi", 631: "ipp", 636: "ldaps", 789: "redlion",
	853: "dns-tls", 873: "rsync", 902: "vmware-auth", 990: "ftps", 992: "telnets",
	993: "imaps", 995: "pop3s", 1080: "socks", 1099: "java-rmi", 1194: "openvpn",
	1433: "mssql", 1434: "mssql-browser", 1521: "oracle", 1701: "l2tp", 1723: "pptp",
	1812: "radius", 1883: "mqtt", 1900: "ssdp", 1911: "niagara-fox",
	2000: "cisco-sccp", 2049: "nfs", 2082: "cpanel", 2181: "zookeeper",
	2222: "ssh-alt", 2323: "telnet-alt", 2375: "docker", 2376: "docker-tls",
	2379: "etcd", 3000: "grafana", 3128: "squid", 3260: "iscsi", 3306: "mysql",
	3389: "rdp", 3478: "stun", 3690: "svn", 3702: "ws-discovery", 4369: "epmd",
	4444: "metasploit", 4500: "ipsec-nat", 4786: "cisco-smi", 4899: "radmin",
	5000: "upnp-http", 5060: "sip", 5061: "sips", 5222: "xmpp", 5353: "mdns",
	5355: "llmnr", 5357: "wsd", 5432: "postgresql", 5555: "adb", 5601: "kibana",
	5672: "amqp", 5683: "coap", 5800: "vnc-http", 5900: "vnc", 5938: "teamviewer",
	5985: "winrm", 5986: "winrm-tls", 6000: "x11", 6379: "redis", 6443: "kubernetes",
	6667: "irc", 6881: "bittorrent", 7001: "weblogic", 7547: "tr-069",
	8000: "http-alt", 8009: "ajp", 8080: "http-alt",
	8086: "influxdb", 8088: "hadoop-yarn", 8089: "splunkd",
	8291: "winbox", 8333: "bitcoin", 8443: "https-alt", 8545: "ethereum-rpc",
	8728: "routeros-api", 8883: "mqtts",
	9001: "tor-or", 9042: "cassandra", 9090: "prometheus", 9092: "kafka",
	9100: "jetdirect", 9200: "elasticsearch", 9418: "git", 9443: "https-alt",
	10000: "webmin", 10250: "kubelet", 11211: "memcached", 15672: "rabbitmq",
	20000: "dnp3", 25565: "minecraft", 27015: "steam", 27017: "mongodb",
	28017: "mongodb-web", 30005: "tr-069", 37215: "upnp-huawei", 44818: "ethernet-ip",
	47808: "bacnet", 50000: "sap", 51820: "wireguard", 52869: "upnp-realtek",
	53413: "netis", 60001: "jaws-dvr",
}

// PortName returns the port with its name before it, if it has one: "ssh 22".
func PortName(port uint16) string {
	number := strconv.Itoa(int(port))
	if name, ok := portNames[port]; ok {
		return name + " " + number
	}
	return number
}
