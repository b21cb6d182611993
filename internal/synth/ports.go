package synth

// commonPorts are TCP ports with well-known services, the more common first,
// as port scanners try them.
var commonPorts = []uint16{
	80, 443, 23, 22, 21, 25, 3389, 110, 445, 139, 143, 53, 135, 3306, 8080, 1723, 111, 995, 993, 5900, 1025, 587, 8888, 199, 1720,
	465, 548, 113, 81, 6001, 10000, 514, 5060, 179, 1026, 2000, 8443, 8000, 32768, 554, 26, 1433, 49152, 2001, 515, 8008, 49154,
	1027, 5666, 646, 5000, 5631, 631, 49153, 8081, 2049, 88, 79, 5800, 106, 2121, 1110, 49155, 6000, 513, 990, 5357, 427, 49156,
	543, 544, 5101, 144, 7, 389, 8009, 3128, 444, 9999, 5009, 7070, 5190, 3000, 5432, 1900, 3986, 13, 1029, 9, 5051, 6646, 49157,
	1028, 873, 1755, 2717, 4899, 9100, 119, 37, 256, 636, 8010, 9090, 6379, 27017, 11211, 2375, 5555, 2323, 7547, 1521, 5985, 9200,
}

// udpPorts are UDP ports with well-known services.
var udpPorts = []uint16{
	53, 67, 68, 69, 111, 123, 135, 137, 138, 139, 161, 162, 177, 427, 443, 445, 497, 500, 514, 515, 518, 520, 593, 623, 626, 631, 996,
	997, 998, 999, 1022, 1023, 1025, 1026, 1027, 1028, 1029, 1030, 1433, 1434, 1645, 1646, 1701, 1718, 1719, 1812, 1813, 1900, 2000,
	2048, 2049, 2222, 2223, 3283, 3456, 3703, 4444, 4500, 5000, 5060, 5353, 5632, 9200, 10000, 17185, 20031, 30718, 31337, 32768,
	32769, 32771, 32815, 33281, 49152, 49153, 49154, 49156, 49181, 49182, 49185, 49186, 49188, 49190, 49191, 49192, 49193, 49194,
}

// wormPorts are what sweeps of many hosts look for.
var wormPorts = []uint16{
	23, 23, 2323, 22, 22, 445, 445, 80, 80, 443, 8080, 3389, 3389, 1433, 3306, 5900, 21, 25, 5555, 6379, 7547, 81, 8443, 8888, 135, 139, 2222, 5060,
	9200, 27017, 11211, 2375, 5432, 37215, 52869, 1723, 8000, 10000, 5985, 111, 389, 88, 179, 502, 102, 1883, 4786, 8291,
}

// favourites returns about n ports as nmap chooses them: the common ones, then
// mostly ones below 1024, then a scatter above.
func (r *rng) favourites(n int, udp bool) []uint16 {
	base := commonPorts
	if udp {
		base = udpPorts
	}
	if n <= len(base) {
		if r.chance(600) {
			return append([]uint16(nil), base[:n]...)
		}
		return shuffled(r, base)[:n]
	}
	seen := map[uint16]bool{}
	out := append([]uint16(nil), base...)
	for _, p := range out {
		seen[p] = true
	}
	for len(out) < n {
		p := uint16(r.logn(1, 65535))
		if udp && r.chance(600) {
			p = uint16(r.span(1, 65535))
		}
		if !udp && r.chance(400) && n < 1500 {
			p = uint16(r.span(1, 1023))
		}
		if seen[p] {
			continue
		}
		seen[p] = true
		out = append(out, p)
	}
	return out
}

// portSet draws the ports of a scan of many ports, at most most of them.
func (r *rng) portSet(most int, udp bool) []uint16 {
	var out []uint16
	switch r.weighted(40, 12, 18, 15, 8, 7) {
	case 0:
		out = r.favourites(pick(r, []int{20, 100, 100, 145, 200, 300, 1000, 1000, 1000, 1000, 2000}), udp)
	case 1:
		out = portRange(1, pick(r, []int{100, 500, 1000, 1023, 1024, 1024}))
	case 2: // a few
		out = r.favourites(r.span(10, 40), udp)
		for i := range out {
			if r.chance(250) {
				out[i] = uint16(r.logn(1, 65535))
			}
		}
	case 3:
		lo := r.logn(1, 60000)
		out = portRange(lo, min(lo+r.logn(12, 20000), 65535))
	case 4: // every port
		out = portRange(1, 65535)
	case 5:
		out = make([]uint16, r.logn(12, 3000))
		for i := range out {
			out[i] = uint16(r.span(1, 65535))
		}
	}
	if len(out) <= most {
		return out
	}
	if r.chance(500) { // a scan of all cut off
		r.shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	}
	return out[:max(most, 1)]
}

func portRange(lo, hi int) []uint16 {
	out := make([]uint16, 0, hi-lo+1)
	for p := lo; p <= hi; p++ {
		out = append(out, uint16(p))
	}
	return out
}

// order puts the ports in the order in which a tool tries them.
func (r *rng) order(ports []uint16) {
	switch r.weighted(55, 25, 8, 12) {
	case 0: // as nmap: shuffled, common ports to the front
		r.shuffle(len(ports), func(i, j int) { ports[i], ports[j] = ports[j], ports[i] })
		front := 0
		for _, p := range commonPorts[:25] {
			for i := front; i < len(ports); i++ {
				if ports[i] == p {
					ports[i], ports[front] = ports[front], ports[i]
					front++
					break
				}
			}
		}
		r.shuffle(front, func(i, j int) { ports[i], ports[j] = ports[j], ports[i] })
	case 1: // rising
		sortPorts(ports)
	case 2: // falling
		sortPorts(ports)
		for i, j := 0, len(ports)-1; i < j; i, j = i+1, j-1 {
			ports[i], ports[j] = ports[j], ports[i]
		}
	case 3: // any
		r.shuffle(len(ports), func(i, j int) { ports[i], ports[j] = ports[j], ports[i] })
	}
}
