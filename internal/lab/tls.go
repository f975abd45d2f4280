package lab

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"path/filepath"
	"time"
)

// A server without a given certificate makes an RSA key when it starts, which takes most of the
// time of a start. So the servers here are given one, whose key is made at once, or speak no TLS.

const (
	certificateFile = "conf/tls.crt"
	keyFile         = "conf/tls.key"
)

// speaksTLS reports whether a server answers over TLS: a proxy always does, as its own clients use
// nothing else.
func (c *Cluster) speaksTLS(s server) bool { return c.state.Spec.TLS || s.Role == roleProxy }

// tlsArgs are the settings for the server's process (TlsSystemConfig).
func (c *Cluster) tlsArgs(s server) []string {
	if !c.speaksTLS(s) {
		return []string{"-Dtls.server.mode=disabled"}
	}
	home := filepath.Join(c.Dir, s.Name)
	return []string{
		"-Dtls.test.mode.enable=false", "-Dtls.server.certPath=" + filepath.Join(home, certificateFile),
		"-Dtls.server.keyPath=" + filepath.Join(home, keyFile),
	}
}

// certificate makes a certificate for this machine that nobody can verify, with its key, in PEM
// form.
func certificate() (files map[string]string, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("lab: key: %w", err)
	}
	template := x509.Certificate{
		Subject:      pkix.Name{CommonName: "rocketshift-lab"},
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(1, 0, 0),
		IPAddresses: []net.IP{net.ParseIP(localhost)}, IsCA: true, BasicConstraintsValid: true,
	}
	signed, err := x509.CreateCertificate(rand.Reader, &template, &template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("lab: certificate: %w", err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("lab: key: %w", err)
	}
	return map[string]string{
		certificateFile: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: signed})),
		keyFile:         string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})),
	}, nil
}
