package quant

// KernelSets returns what this machine can run, by name, the fastest first. Each
// function has a network use that set from then on.
func KernelSets() (names []string, use []func(*Network)) {
	for _, u := range kernelSets() {
		names = append(names, u.String())
		use = append(use, func(n *Network) { n.prepare(u) })
	}
	return names, use
}
