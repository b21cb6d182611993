package alert

import "strconv"

// portNames are the ports that operators know by name: those that scanners
// try most, by IANA's names or the customary ones.
var portNames = map[uint16]string{
	21: "ftp", 22: "ssh", 23: "telnet", 25: "smtp", 53: "dns", 67: "dhcp",
	69: "tftp", 80: "http", 88: "kerberos", 110: "pop3", 111: "rpcbind",
	119: "nntp", 123: "ntp", 135: "msrpc", 137: "netbios-ns", 138: "netbios-dgm",
	139: "netbios-ssn", 143: "imap", 161: "snmp", 162: "snmp-trap", 179: "bgp",
	389: "ldap", 443: "https", 445: "smb", 465: "smtps", 500: "isakmp",
	514: "syslog", 515: "printer", 520: "rip", 548: "afp", 554: "rtsp",
	587: "submission", 623: "ipmi", 631: "ipp", 636: "ldaps", 853: "dns-tls",
	873: "rsync", 993: "imaps", 995: "pop3s", 1080: "socks", 1194: "openvpn",
	1433: "mssql", 1521: "oracle", 1723: "pptp", 1883: "mqtt", 1900: "ssdp",
	2049: "nfs", 2323: "telnet-alt", 2375: "docker", 3128: "squid",
	3306: "mysql", 3389: "rdp", 4500: "ipsec-nat", 5060: "sip", 5353: "mdns",
	5355: "llmnr", 5432: "postgresql", 5555: "adb", 5900: "vnc", 5985: "winrm",
	6379: "redis", 6443: "kubernetes", 7547: "tr-069", 8080: "http-alt",
	8291: "winbox", 8443: "https-alt", 8883: "mqtts", 9100: "jetdirect",
	9200: "elasticsearch", 11211: "memcached", 27017: "mongodb",
	37215: "upnp-huawei", 51820: "wireguard",
}

// portName returns the port with its name before it, if it has one: "ssh 22".
func portName(port uint16) string {
	number := strconv.Itoa(int(port))
	if name, ok := portNames[port]; ok {
		return name + " " + number
	}
	return number
}
