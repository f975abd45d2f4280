package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rocketshift/internal/gateway"
	"rocketshift/internal/gateway/audit"
	"rocketshift/internal/gateway/connections"
	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/controlserver"
	"rocketshift/internal/gateway/memory"
	"rocketshift/internal/printable"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/internal/version"
)

// settings are those of the process; the migration is told through the control API.
type settings struct {
	gateway.Config
	control  controlserver.At
	metrics  string
	audit    string
	tokenEnv string
	keysEnv  string
	thereEnv string

	successorWait time.Duration // after SIGTERM
}

func command(getenv func(string) string) *cobra.Command {
	var s settings
	host, _ := os.Hostname()
	c := &cobra.Command{
		Use:   "rocketshift-gateway --source <name server>[,<name server>] --advertise <host>",
		Short: "Stand between applications and the clusters of a migration",
		Long: "Applications use it as their name server. It shows them the brokers of the source, each at a " +
			"port of its own, and moves where\n" +
			"messages are stored, and from where groups read, when it is told to through its control API.",
		Version: version.Line("rocketshift-gateway"),
		Args:    cobra.NoArgs, SilenceUsage: true, SilenceErrors: true,
		RunE: func(c *cobra.Command, _ []string) error {
			return run(c.Context(), s, c.OutOrStdout(), c.ErrOrStderr(), getenv)
		},
	}
	c.SetVersionTemplate("{{.Version}}\n")
	f := c.Flags()
	f.StringVar(&s.Name, "name", host, "name of this gateway, unique in the migration")
	f.StringSliceVar(&s.NameServers, "source", nil, "name servers of the source, host:port")
	f.StringVar(&s.Advertise, "advertise", "", "host that applications are told to connect to")
	f.StringVar(&s.Listen, "listen", "", "address to listen on for applications; all if absent")
	f.IntVar(&s.NamesPort, "name-server-port", 9876,
		"port of the name server that it is to applications; 0 picks one and keeps it")
	f.StringToIntVar(&s.Ports, "port", nil,
		"port of a source broker, such as broker-a=10911; others are picked, and kept")
	f.StringVar(&s.Dir, "state", filepath.Join(".run", "gateway"), "folder for what it must not forget")
	f.DurationVar(&s.successorWait, "successor-wait", 10*time.Second,
		"for how long it serves on after SIGTERM, so that another process with the same --state may take "+
			"over; clients don't see that")
	f.BoolVar(&s.KeepConnections, "keep-connections", true,
		"keep applications' connections open by a second process if this one is killed, until it is "+
			"started again; on Linux, and not those over TLS")
	f.StringVar(&s.tokenEnv, "token-env", "ROCKETSHIFT_GATEWAY_TOKEN",
		"environment variable that holds the control API's token")
	f.StringVar(&s.keysEnv, "credentials-env", "", "the gateway's own keys: <this>_ACCESS_KEY and <this>_SECRET_KEY")
	f.StringVar(&s.thereEnv, "target-credentials-env", "",
		"its own keys on the target; the same as on the source if absent")
	f.StringVar(&s.Keys, "keys", "",
		"YAML file with the access keys of applications and their secrets, for clusters with access control")
	s.Memory = memory.UsualMemory
	f.Var((*size)(&s.Memory), "memory", "memory that the process may take, such as 512MiB; 256MiB or more")
	f.StringVar(&s.TLSCert, "tls-cert", "",
		"PEM file with the certificate for applications that connect over TLS; it is read again when it changes")
	f.StringVar(&s.TLSKey, "tls-key", "", "PEM file with that certificate's key")
	sideFlags(c, &s)
	controlFlags(c, &s)
	return c
}

// reach is how the servers of a side are reached.
type reach struct {
	*connections.TLS
	at *rocketmq.Addresses
}

// sideFlags are how the servers of both sides are reached.
func sideFlags(c *cobra.Command, s *settings) {
	f := c.Flags()
	for name, t := range map[string]reach{"source": {&s.SourceTLS, &s.SourceAt}, "target": {&s.TargetTLS, &s.TargetAt}} {
		f.StringToStringVar((*map[string]string)(t.at), name+"-address", nil,
			"where a server of the "+name+" is reached that advertises "+
				"another address, ADVERTISED=REACHED, host:port both; may be given several times")
		f.BoolVar(&t.On, name+"-tls", false, "connect to the "+name+"'s name servers and brokers over TLS")
		f.StringVar(&t.CA, name+"-tls-ca", "", "PEM file with the authorities that sign the "+name+"'s "+
			"certificates, read again when it changes; those of the system if absent")
		f.BoolVar(&t.Insecure, name+"-tls-insecure", false,
			"don't verify the "+name+"'s certificates, as those that servers make for themselves")
	}
}

// controlFlags are how the gateway is steered and watched.
func controlFlags(c *cobra.Command, s *settings) {
	f := c.Flags()
	f.StringVar(&s.control.Address, "control", "127.0.0.1:8089",
		"address of the control API; another than this machine's needs a certificate")
	f.StringVar(&s.control.Cert, "control-tls-cert", "",
		"PEM file with the control API's certificate; it is read again when it changes")
	f.StringVar(&s.control.Key, "control-tls-key", "", "PEM file with that certificate's key")
	f.StringVar(&s.control.ClientCA, "control-client-ca", "",
		"PEM file with the authorities that sign certificates of the control API's callers, who must "+
			"show one then; it is read again when it changes")
	f.BoolVar(&s.control.Insecure, "control-insecure", false,
		"allow plain HTTP on networks, for the control API and to those of other gateways: everybody on "+
			"the way can read the token")
	f.StringVar(&s.Peers.CA, "peer-ca", "", "PEM file with the authorities that sign the "+
		"certificates of other gateways' control APIs; those of the system if absent")
	f.StringVar(&s.Peers.Cert, "peer-cert", "", "PEM file with the certificate that this gateway "+
		"shows to others; that of its control API if absent")
	f.StringVar(&s.Peers.Key, "peer-key", "", "PEM file with that certificate's key")
	f.StringVar(&s.metrics, "metrics", defaultMetrics,
		"address of /metrics and of probes, in plain HTTP and without a token; off for none")
	f.StringVar(&s.audit, "audit", "", "file to record in who changes what; the log if absent")
}

// credentials are what the environment holds under a name; nil without a name.
func credentials(env string, getenv func(string) string) (*remoting.Credentials, error) {
	if env == "" {
		return nil, nil //nolint:nilnil // none are asked for
	}
	c, whole := remoting.CredentialsOf(env, getenv)
	if !whole {
		return nil, fmt.Errorf("%s_ACCESS_KEY or %s_SECRET_KEY is not set", env, env)
	}
	return c, nil
}

// complete checks the settings, and adds those of the environment.
func (s *settings) complete(getenv func(string) string) (err error) {
	if len(s.NameServers) == 0 {
		return errors.New("--source is missing: name the source's name servers, host:port")
	}
	if s.Advertise == "" {
		return errors.New(
			"--advertise is missing: name the host that applications are to connect to, such as this machine's address",
		)
	}
	if s.Token = getenv(s.tokenEnv); s.Token == "" {
		return fmt.Errorf(
			"%s is not set: choose a token of at least 16 characters, and give it to the worker too",
			s.tokenEnv,
		)
	}
	if s.Credentials, err = credentials(s.keysEnv, getenv); err != nil {
		return err
	}
	if s.OnTarget, err = credentials(s.thereEnv, getenv); err != nil {
		return err
	}
	if s.Peers.Cert == "" && s.Peers.Key == "" {
		s.Peers.Cert, s.Peers.Key = s.control.Cert, s.control.Key
	}
	s.Peers.Plain = s.control.Insecure
	s.Peers.Set = control.AccessSettings{
		Token: s.tokenEnv, CA: "--peer-ca", Cert: "--peer-cert",
		Plain: "--control-insecure",
	}
	return nil
}

func run(ctx context.Context, s settings, out, logs io.Writer, getenv func(string) string) error {
	if err := s.complete(getenv); err != nil {
		return err
	}
	s.Log = slog.New(slog.NewJSONHandler(printable.JSONTo(logs), nil))
	memory.LimitMemory(s.Memory, getenv)
	var err error
	if s.Predecessor, err = gateway.Succeed(s.Dir); err != nil {
		return err
	}
	defer s.Predecessor.Close()
	s.Listeners = &gateway.Listeners{From: s.Predecessor}
	s.control.Listeners = s.Listeners
	at, err := s.control.Listen(s.Log)
	if err != nil {
		return err
	}
	defer at.Close()
	var record *audit.File
	if s.audit != "" {
		if record, err = audit.Open(s.audit); err != nil {
			return err
		}
		defer record.Close()
	}
	g, err := gateway.Start(s.Config)
	if err != nil {
		return err
	}
	defer g.Close()
	control, err := controlserver.New(g, s.Token)
	if err != nil {
		return err
	}
	if record != nil {
		control.Audit(record)
	}
	watched, err := serveMetrics(ctx, s, g)
	if err != nil {
		return err
	}
	ready := map[string]string{
		"gateway": s.Name, "nameServer": g.NameServer(), "control": at.Addr().String(),
		"metrics": watched, "source": strings.Join(s.NameServers, ";"),
	}
	if err := json.NewEncoder(out).Encode(ready); err != nil {
		return err
	}
	serving, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	go func() {
		defer end()
		s.untilOver(ctx, g.Succeeded())
		g.Drain()
	}()
	return control.Serve(serving, at)
}

// untilOver waits until another process serves instead of this one, or the context has ended and
// none has come for long enough.
func (s settings) untilOver(ctx context.Context, succeeded <-chan struct{}) {
	select {
	case <-succeeded:
		return
	case <-ctx.Done():
	}
	if s.successorWait > 0 {
		s.Log.Info("it serves on for a while: another process may take over", "state", s.Dir, "wait",
			s.successorWait.String())
	}
	select {
	case <-succeeded:
	case <-time.After(s.successorWait):
	}
}
