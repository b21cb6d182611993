//go:build !notls && !(device && (mips || mipsle))

package alert

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
)

// Security is what TLS connections trust and show.
type Security struct{ config *tls.Config }

// LoadSecurity reads the certificates, all of them PEM: those of authorities to
// trust (without a file, the system's), and one to show with its key, both or
// none. It reads everything, so that files need not be within reach later.
func LoadSecurity(ca, cert, key string) (*Security, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if ca != "" {
		pem, err := os.ReadFile(ca)
		if err != nil {
			return nil, fmt.Errorf("%w: authority: %w", ErrSecurity, err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%w: authority: no certificate in %s, which should have some in PEM", ErrSecurity, ca)
		}
	} else if pool, err := x509.SystemCertPool(); err == nil {
		config.RootCAs = pool
	}
	if config.RootCAs == nil || ca == "" && config.RootCAs.Equal(x509.NewCertPool()) {
		return nil, fmt.Errorf("%w: this system has no authorities of its own, name a file with those to trust", ErrSecurity)
	}
	if (cert == "") != (key == "") {
		return nil, fmt.Errorf("%w: a certificate to show and its key go together", ErrSecurity)
	}
	if cert != "" {
		pair, err := tls.LoadX509KeyPair(cert, key)
		if err != nil {
			return nil, fmt.Errorf("%w: certificate: %w", ErrSecurity, err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return &Security{config}, nil
}

// handshake makes a TLS connection out of conn, to the server of that name or
// address and to no other.
func (s *Security) handshake(ctx context.Context, conn net.Conn, server string) (net.Conn, error) {
	if s == nil {
		return nil, errors.New("TLS without authorities to trust")
	}
	config := s.config.Clone()
	config.ServerName = server
	client := tls.Client(conn, config)
	if err := client.HandshakeContext(ctx); err != nil {
		return nil, err
	}
	return client, nil
}
