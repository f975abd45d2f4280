package connect

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"

	"github.com/spf13/pflag"

	"rocketshift/internal/files"
)

// TLS is how a person asks for TLS to one cluster on a command line.
type TLS struct {
	On        bool
	Authority string // file with certificates; the system's without it
}

// Add adds --tls and --tls-ca, with what comes before them where a command has two clusters, such as
// "source-".
func (t *TLS) Add(flags *pflag.FlagSet, before, cluster string) {
	flags.BoolVar(&t.On, before+"tls", false, "connect to the "+cluster+" over TLS")
	flags.StringVar(&t.Authority, before+"tls-ca", "",
		"file with the certificates (PEM) that the "+cluster+"'s are signed by; the system's without it")
}

// mostAuthority bounds a file of certificates: systems have a few hundred kB of them.
const mostAuthority = 8 << 20

// Config is nil where TLS isn't asked for. A file of certificates asks for it too.
func (t TLS) Config() (*tls.Config, error) {
	if !t.On && t.Authority == "" {
		return nil, nil
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if t.Authority == "" {
		return c, nil
	}
	text, err := files.ReadText(t.Authority, mostAuthority)
	if err != nil {
		return nil, err
	}
	c.RootCAs = x509.NewCertPool()
	if !c.RootCAs.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s: it has no certificate in PEM", t.Authority)
	}
	return c, nil
}
