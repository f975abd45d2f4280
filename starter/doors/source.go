package doors

import (
	"context"
	"io"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"rocketshift/internal/clusters/connect"
	"rocketshift/internal/failure"
	"rocketshift/internal/metadata"
	"rocketshift/internal/metadata/live"
	"rocketshift/internal/metadata/sources"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
)

// clusterFlags are how a live cluster is read.
type clusterFlags struct {
	credentials, cluster string
	tls                  connect.TLS
	addresses            map[string]string
	leaveOut, readSlaves []string
	namespaces           []string
	rate                 float64
	brokers              []string
}

func (f *clusterFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.credentials, "credentials", "", "prefix of the environment variables with the cluster's keys: "+
		"with OLD they are OLD_ACCESS_KEY and OLD_SECRET_KEY")
	flags.StringVar(&f.cluster, "cluster", "", "the cluster's own name, where its name servers know several")
	flags.StringToStringVar(&f.addresses, "address", nil, "where a server is reached that advertises another address, "+
		"ADVERTISED=REACHED; may be given several times")
	flags.StringSliceVar(&f.leaveOut, "leave-out", nil, "a broker that isn't read; may be given several times")
	flags.StringSliceVar(
		&f.readSlaves,
		"read-slave",
		nil,
		"a broker that is read from its slave while it has no master; "+
			"may be given several times",
	)
	flags.StringSliceVar(
		&f.namespaces,
		"namespace",
		nil,
		"a namespace of the name servers' KV, which don't list them, "+
			"besides the order configuration; may be given several times",
	)
	flags.Float64Var(&f.rate, "rate", connect.DefaultRate, "calls per second at most; 0 for no bound")
	f.tls.Add(flags, "", "cluster")
	f.addFiles(flags)
}

func (f *clusterFlags) addFiles(flags *pflag.FlagSet) {
	flags.StringSliceVar(
		&f.brokers,
		"broker",
		nil,
		"a master over which mqadmin exportMetadata added up queues; may be "+
			"given several times; configs.json of exportConfigs tells them too",
	)
}

// isAddress reports whether a name is host:port, and no file.
func isAddress(name string) bool {
	host, port, err := net.SplitHostPort(name)
	if _, errPort := strconv.ParseUint(port, 10, 16); err != nil || errPort != nil || host == "" {
		return false
	}
	_, err = os.Stat(name)
	return err != nil
}

// split takes apart what is named: at commas, and at semicolons as RocketMQ's own tools do.
func split(named []string) []string {
	return strings.FieldsFunc(strings.Join(named, ","), func(r rune) bool { return r == ',' || r == ';' })
}

// open finds the door for what is named: name servers, or files.
func (t Terminal) open(named []string, f clusterFlags) (metadata.Reader, func(), error) {
	named = split(named)
	switch n := len(slices.DeleteFunc(slices.Clone(named), isAddress)); {
	case len(named) == 0:
		return nil, nil, failure.Usage("name servers as host:port, or files", "nothing to read is named")
	case n == 0:
		return t.live(named, f)
	case n < len(named):
		return nil, nil, failure.Usage("export the cluster first, then convert all files together",
			"%s: name servers and files are mixed", strings.Join(named, ", "))
	}
	r, err := sources.Open(named, sources.Options{Brokers: split(f.brokers), Stdin: t.stdin})
	if err != nil {
		return nil, nil, failure.Usage("", "%w", err)
	}
	return r, func() {}, nil
}

func (t Terminal) stdin() ([]byte, error) {
	return io.ReadAll(io.LimitReader(t.Stdin, metadata.MaxBytes+1))
}

func (t Terminal) live(nameServers []string, f clusterFlags) (metadata.Reader, func(), error) {
	options := rocketmq.Options{Addresses: f.addresses, Limit: connect.Limit(f.rate)}
	if f.credentials != "" {
		keys, whole := remoting.CredentialsOf(
			f.credentials,
			func(name string) string { v, _ := t.LookupEnv(name); return v },
		)
		if !whole { // a bad prefix may be the key itself, so it isn't shown
			return nil, nil, failure.Usage(
				"set both",
				"--credentials: the environment has no such …_ACCESS_KEY and …_SECRET_KEY",
			)
		}
		options.Credentials = keys
	}
	var err error
	if options.TLS, err = f.tls.Config(); err != nil {
		return nil, nil, failure.Usage("", "--tls-ca: %w", err)
	}
	client := rocketmq.NewClient(options)
	r := live.Reader{
		Cluster: rocketmq.NewClusterOf(client, nameServers, rocketmq.Part{
			Cluster: f.cluster, LeftOut: f.leaveOut, ReadSlaves: f.readSlaves,
		}),
		Namespaces: f.namespaces, Progress: t.progress(),
	}
	return r, client.Close, nil
}

// progressPause keeps a log readable.
const progressPause = 5 * time.Second

// progress tells how far long reading is, and how long it will still take.
func (t Terminal) progress() func(done, total int) {
	began := t.Now()
	last := began
	return func(done, total int) {
		now := t.Now()
		if now.Sub(last) < progressPause || done == 0 {
			return
		}
		last = now
		left := time.Duration(float64(now.Sub(began)) / float64(done) * float64(total-done))
		t.Warn("asked %d of %d groups for their members, %s left", done, total, left.Round(time.Second))
	}
}

// read reads all that is named, and tells the gaps.
func (t Terminal) read(ctx context.Context, named []string, f clusterFlags) (metadata.Cluster, metadata.Gaps, error) {
	r, end, err := t.open(named, f)
	if err != nil {
		return metadata.Cluster{}, nil, err
	}
	defer end()
	c, gaps, err := r.Read(ctx)
	if err != nil {
		return c, nil, failure.Broken("", "%w", err)
	}
	return c, gaps, nil
}
