package alert

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"flag"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"edgescan/internal/spool"
)

// authority issues certificates in a folder.
type authority struct {
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{dir: t.TempDir()}
	a.cert, a.key = a.issue(t, "ca", &x509.Certificate{IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign})
	return a
}

// issue makes a certificate and its key in name.pem and name.key.
func (a *authority) issue(t *testing.T, name string, cert *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	cert.SerialNumber, cert.Subject = big.NewInt(time.Now().UnixNano()), pkix.Name{CommonName: name}
	cert.NotBefore, cert.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	parent, signer := a.cert, a.key
	if parent == nil {
		parent, signer = cert, key
	}
	der, err := x509.CreateCertificate(rand.Reader, cert, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{name + ".pem": {Type: "CERTIFICATE", Bytes: der}, name + ".key": {Type: "EC PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(a.path(file), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return parsed, key
}

func (a *authority) path(file string) string { return filepath.Join(a.dir, file) }

// server makes certificates for localhost, and for a client.
func (a *authority) server(t *testing.T) {
	a.issue(t, "server", &x509.Certificate{DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}})
	a.issue(t, "client", &x509.Certificate{DNSNames: []string{"router"}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
}

const rsyslogTCP = `
global(workDirectory=%[1]q)
module(load="imtcp")
input(type="imtcp" address="127.0.0.1" port="%[2]d")
template(name="fields" type="string" string="%%structured-data%%\n")
action(type="omfile" file="%[1]s/out" template="fields")
`

const rsyslogTLS = `
global(workDirectory=%[1]q defaultNetstreamDriver="gtls"
  defaultNetstreamDriverCAFile="%[3]s/ca.pem" defaultNetstreamDriverCertFile="%[3]s/server.pem" defaultNetstreamDriverKeyFile="%[3]s/server.key")
module(load="imtcp" StreamDriver.Name="gtls" StreamDriver.Mode="1" StreamDriver.AuthMode="x509/certvalid")
input(type="imtcp" address="127.0.0.1" port="%[2]d")
template(name="fields" type="string" string="%%structured-data%%\n")
action(type="omfile" file="%[1]s/out" template="fields")
`

// daemon is an rsyslogd that can be stopped and started.
type daemon struct {
	t    *testing.T
	dir  string
	port int
	cmd  *exec.Cmd
}

func newDaemon(t *testing.T, config string, extra ...any) *daemon {
	t.Helper()
	if _, err := exec.LookPath("/usr/sbin/rsyslogd"); err != nil {
		t.Skip("rsyslogd is not installed (Debian: apt-get install rsyslog)")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	d := &daemon{t: t, dir: t.TempDir(), port: l.Addr().(*net.TCPAddr).Port}
	if err := os.WriteFile(filepath.Join(d.dir, "conf"), fmt.Appendf(nil, config, append([]any{d.dir, d.port}, extra...)...), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.stop(syscall.SIGKILL) })
	return d
}

func (d *daemon) start() {
	d.t.Helper()
	d.cmd = exec.Command("/usr/sbin/rsyslogd", "-n", "-f", filepath.Join(d.dir, "conf"), "-i", filepath.Join(d.dir, "pid"))
	d.cmd.Stderr = os.Stderr
	if err := d.cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	waitUntil(d.t, "for rsyslogd to listen", func() bool {
		conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", d.port))
		if err == nil {
			conn.Close()
		}
		return err == nil
	})
}

func (d *daemon) stop(signal os.Signal) {
	if d.cmd != nil {
		d.cmd.Process.Signal(signal)
		d.cmd.Wait()
		os.Remove(filepath.Join(d.dir, "pid"))
		d.cmd = nil
	}
}

// lines returns how often each ID came, and whether the first of each came in
// order.
func (d *daemon) lines() (count map[string]int, inOrder bool) {
	out, _ := os.ReadFile(filepath.Join(d.dir, "out"))
	count, inOrder = map[string]int{}, true
	last := ""
	for line := range strings.Lines(string(out)) {
		_, rest, ok := strings.Cut(line, ` id="`)
		if !ok || len(rest) < 16 {
			continue // of rsyslogd itself
		}
		id := rest[:16]
		if count[id]++; count[id] == 1 {
			inOrder = inOrder && id > last
			last = id
		}
	}
	return count, inOrder
}

// alerts is how many TestRsyslogRestartsAmidAlerts sends. The figures of
// docs/alerts.md are of -alerts 10000.
var alerts = flag.Int("alerts", 1000, "alerts to send while a daemon is restarted")

// TestRsyslogRestartsAmidAlerts ends a real daemon twice while alerts
// come. What is lost was read by the daemon and not written; what comes twice
// was under way at a reset.
func TestRsyslogRestartsAmidAlerts(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a while")
	}
	for _, test := range []struct {
		name     string
		security bool
		signal   syscall.Signal
		lost     int // at most
	}{
		{"tcp SIGTERM", false, syscall.SIGTERM, 2 * inDoubt},
		{"tcp SIGKILL", false, syscall.SIGKILL, 2000},
		{"tls SIGTERM", true, syscall.SIGTERM, 2 * inDoubt},
		{"tls SIGKILL", true, syscall.SIGKILL, 2000},
	} {
		t.Run(test.name, func(t *testing.T) {
			config, scheme := rsyslogTCP, "tcp"
			var security *Security
			var extra []any
			if test.security {
				a := newAuthority(t)
				a.server(t)
				config, scheme, extra = rsyslogTLS, "tls", []any{a.dir}
				security = needSecurity(t, a)
			}
			d := newDaemon(t, config, extra...)
			d.start()
			s := NewSyslog(parse(t, fmt.Sprintf("%s://127.0.0.1:%d", scheme, d.port)), testHeader(), security)
			startSender(t, s, spool.Config{Folder: t.TempDir(), Disk: 64 << 20, Memory: 512 << 10})
			all := *alerts
			for i := range all {
				if i == all/4 || i == all/2 {
					d.stop(test.signal)
				}
				if i == all/4+all/20 || i == all/2+all/20 {
					d.start()
				}
				send(t, s, numbered(i+1))
				if i%10 == 0 {
					time.Sleep(time.Millisecond)
				}
			}
			for s.queue.Stats().Waiting > 0 && t.Context().Err() == nil { // go test has a limit
				time.Sleep(10 * time.Millisecond)
			}
			time.Sleep(300 * time.Millisecond)
			d.stop(syscall.SIGTERM)
			count, inOrder := d.lines()
			twice := 0
			for _, n := range count {
				twice += n - 1
			}
			lost := all - len(count)
			t.Logf("%d lost, %d twice", lost, twice)
			if lost > test.lost || twice > 2*inDoubt || s.Lost() > 0 {
				t.Errorf("%d lost and %d twice of %d, %d dropped", lost, twice, all, s.Lost())
			}
			if !inOrder {
				t.Error("not in order")
			}
		})
	}
}

func needSecurity(t *testing.T, a *authority) *Security {
	t.Helper()
	if _, err := os.Stat("/usr/lib/x86_64-linux-gnu/rsyslog/lmnsd_gtls.so"); err != nil {
		t.Skip("rsyslogd has no TLS (Debian: apt-get install rsyslog-gnutls)")
	}
	security, err := LoadSecurity(a.path("ca.pem"), a.path("client.pem"), a.path("client.key"))
	if err != nil {
		t.Fatal(err)
	}
	return security
}

// TestTLSRefuses wants no connection to a server whose certificate is another's
// or by a stranger, and errors for files that are of no use.
func TestTLSRefuses(t *testing.T) {
	a, stranger := newAuthority(t), newAuthority(t)
	a.server(t)
	d := newDaemon(t, rsyslogTLS, a.dir)
	security := needSecurity(t, a)
	d.start()
	foreign, err := LoadSecurity(stranger.path("ca.pem"), "", "")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name     string
		host     string
		security *Security
		want     string
	}{
		{"by name", "localhost", security, ""},
		{"another name", "localhost.localdomain", security, "localhost.localdomain"},
		{"a stranger's authority", "127.0.0.1", foreign, "unknown authority"},
	} {
		l, err := dial(context.Background(), Target{"tls", fmt.Sprintf("%s:%d", test.host, d.port)}, test.security)
		if err == nil {
			l.close()
		}
		if test.host == "localhost.localdomain" && err != nil && strings.Contains(err.Error(), "lookup") {
			continue // this machine does not know the name
		}
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", test.name, err, test.want)
		}
	}
	for name, files := range map[string][3]string{
		"no file":       {a.path("nothing"), "", ""},
		"a key":         {a.path("ca.key"), "", ""},
		"without key":   {a.path("ca.pem"), a.path("client.pem"), ""},
		"another's key": {a.path("ca.pem"), a.path("client.pem"), a.path("server.key")},
	} {
		if _, err := LoadSecurity(files[0], files[1], files[2]); err == nil || !strings.Contains(err.Error(), ErrSecurity.Error()) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
