package synth

// Behaviour is something that a source can be seen to do.
type Behaviour struct {
	Name  string // as in Actor.Tool and Options.Only
	About string
	Scan  bool
}

// origin is where a behaviour's source stands.
type origin uint8

const (
	inside   origin = iota // a host of the LAN
	gateway                // the router
	outside                // beyond the router
	anywhere               // mostly inside
)

// behaviour is a Behaviour with what plays it.
type behaviour struct {
	name   string
	about  string
	scan   bool
	weight int // how often it is drawn among those of its sort
	from   origin
	run    func(g *gen)
}

// behaviours are all there are; init joins the families' tables.
var behaviours []behaviour

func init() {
	for _, family := range [][]behaviour{
		scanBehaviours, webBehaviours, nameBehaviours, peerBehaviours, voiceBehaviours, officeBehaviours,
		serverBehaviours, transferBehaviours, neighbourBehaviours, oddBehaviours,
	} {
		behaviours = append(behaviours, family...)
	}
	for i := range scanBehaviours {
		behaviours[i].scan = true
	}
}

// Behaviours lists what Generate draws from: scans first.
func Behaviours() []Behaviour {
	out := make([]Behaviour, len(behaviours))
	for i, b := range behaviours {
		out[i] = Behaviour{Name: b.name, About: b.about, Scan: b.scan}
	}
	return out
}

func lookup(name string) *behaviour {
	for i := range behaviours {
		if behaviours[i].name == name {
			return &behaviours[i]
		}
	}
	return nil
}

// source draws the host that plays a behaviour.
func (g *gen) source(from origin) *host {
	switch from {
	case gateway:
		return g.site.gateway
	case outside:
		return g.outsider()
	case anywhere:
		if g.site.view == viewBorder && g.r.chance(600) || g.r.chance(250) {
			return g.outsider()
		}
		if g.site.view == viewHost && g.r.chance(400) {
			return g.insider()
		}
	}
	if g.site.view == viewHost && g.r.chance(900) {
		return g.site.self
	}
	return g.insider()
}

func (g *gen) insider() *host { return pick(g.r, g.site.hosts) }

// outsider is a host beyond the router that can reach the LAN: of another
// private network where addresses are translated, else of the internet.
func (g *gen) outsider() *host {
	if g.site.nat || g.r.chance(100) {
		a := netip4(10, byte(g.r.n(256)), byte(g.r.n(256)), byte(g.r.span(1, 254)))
		if g.r.chance(300) {
			a = netip4(192, 168, byte(g.r.n(256)), byte(g.r.span(1, 254)))
		}
		if !g.site.prefix.Contains(a) {
			return g.site.newRemote(g.r, a)
		}
	}
	return g.remote()
}

// remote is a new host of the internet.
func (g *gen) remote() *host {
	h := g.site.newRemote(g.r, g.r.public())
	h.unheard = g.defect.astray > 0 && g.r.chance(g.defect.astray)
	return h
}

// remotes are n hosts of the internet, some of them neighbours as in a hosting
// centre.
func (g *gen) remotes(n int) []*host {
	out := make([]*host, n)
	near := g.r.n(600)
	for i := range out {
		out[i] = g.remote()
		if i > 0 && g.r.chance(near) {
			b, c := out[i].ip.As4(), out[g.r.n(i)].ip.As4()
			keep := g.r.span(2, 3)
			copy(b[:keep], c[:keep])
			out[i].ip = netip4(b[0], b[1], b[2], b[3])
		}
	}
	return out
}

// peer is another live host of the LAN that the tap can see src talk to.
func (g *gen) peer(of *host) *host {
	if g.site.view == viewHost && of != g.site.self {
		return g.site.self
	}
	for range 8 {
		if h := g.insider(); h != of {
			return h
		}
	}
	return g.site.gateway
}

// partner is a server for src: on the LAN or, in about share permille, behind
// the router, always there where the tap sees nothing of the LAN.
func (g *gen) partner(src *host, share int) *host {
	if g.site.view == viewBorder || g.site.view == viewGateway && g.r.chance(500) || g.r.chance(share) {
		if g.r.chance(500) {
			return g.outsider()
		}
		return g.remote()
	}
	return g.peer(src)
}
