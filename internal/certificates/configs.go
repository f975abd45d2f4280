package certificates

import (
	"crypto/tls"
	"crypto/x509"
)

// Server is the configuration of a listener that shows a certificate. With authorities, clients
// must show one that these have signed. Both are as their files have them when a client connects.
func Server(own *Files[tls.Certificate], clients *Files[x509.CertPool]) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
			pair, err := own.Current()
			if pair == nil {
				return nil, err
			}
			config := &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{*pair}}
			if clients == nil {
				return config, nil
			}
			config.ClientAuth = tls.RequireAndVerifyClientCert
			config.SessionTicketsDisabled = true // a session of before may be of who isn't known any more
			if config.ClientCAs, err = clients.Current(); config.ClientCAs == nil {
				return nil, err // a nil pool would be that of the system
			}
			return config, nil
		},
	}
}

// Client is how a client knows servers, and what it shows them.
type Client struct {
	// that sign the servers' certificates; nil: those of the system
	Authorities *Files[x509.CertPool]
	Own         *Files[tls.Certificate] // nil: none
	Insecure    bool                    // servers' certificates aren't verified
}

// Config is what to dial with now. It is for one connection: the next one may need another.
func (c Client) Config() (config *tls.Config, err error) {
	config = &tls.Config{
		MinVersion:         tls.VersionTLS12,
		InsecureSkipVerify: c.Insecure,
	} //nolint:gosec // if somebody asks for it by that name
	if c.Authorities != nil {
		if config.RootCAs, err = c.Authorities.Current(); config.RootCAs == nil {
			return nil, err // a nil pool would be that of the system
		}
	}
	if c.Own != nil {
		pair, err := c.Own.Current()
		if pair == nil {
			return nil, err
		}
		config.Certificates = []tls.Certificate{*pair}
	}
	return config, nil
}
