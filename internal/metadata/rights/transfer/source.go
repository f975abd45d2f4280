package transfer

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"rocketshift/internal/metadata/rights"
	"rocketshift/internal/metadata/rights/acl1"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
)

// Source is where users and rights come from: files of ACL 1.0 or, without any, a live cluster.
type Source struct {
	Files   []string // plain_acl.yml, files and folders of conf/acl
	Cluster *rocketmq.Cluster
}

// Read reads the whole configuration.
func (s Source) Read(ctx context.Context) (*acl1.Config, error) {
	if len(s.Files) > 0 {
		return acl1.ReadFiles(s.Files)
	}
	brokers, err := s.Cluster.Brokers(ctx)
	if err != nil {
		return nil, err
	}
	if len(brokers) == 0 {
		return nil, fmt.Errorf("source %s: it has no brokers", strings.Join(s.Cluster.NameServers(), ", "))
	}
	var whole *acl1.Config
	for _, b := range brokers {
		one, err := Accounts(ctx, s.Cluster.Client(), b)
		if err != nil {
			return nil, err
		}
		if whole == nil {
			whole = one
			continue
		}
		if user := differs(whole, one); user != "" {
			return nil, fmt.Errorf("source: brokers %s and %s say different things of %s: make their ACL files alike, "+
				"or give the files that count by --acl", brokers[0].Name, b.Name, user)
		}
	}
	return whole, nil
}

// ErrUntold is the error where a live source doesn't tell its accounts or their secrets.
var ErrUntold = errors.New("doesn't tell its ACL")

// ErrOpen is the error where a live source has no access control, and so no users.
var ErrOpen = errors.New("has no access control")

// Guarded reports whether a broker says that it has access control, ACL 1.0 or 2.0. Others must not
// be asked for users: 4.9.7 doesn't answer at all then.
func Guarded(ctx context.Context, client *rocketmq.Client, b rocketmq.Broker) (is bool, err error) {
	var config map[string]string
	err = remoting.RetryRead(ctx, func() (err error) {
		config, err = client.BrokerConfig(ctx, b.Addr)
		return err
	})
	for _, setting := range []string{"aclEnable", "authenticationEnabled", "authorizationEnabled"} {
		is = is || strings.EqualFold(config[setting], "true")
	}
	return is, err
}

// Accounts are what one broker of 4.x, or of 5.0 to 5.2, tells of ACL 1.0.
func Accounts(ctx context.Context, client *rocketmq.Client, b rocketmq.Broker) (*acl1.Config, error) {
	// whose keys may not read the configuration may read accounts all the same
	if guarded, err := Guarded(ctx, client, b); err == nil && !guarded {
		return nil, fmt.Errorf("source: broker %s %w (aclEnable=false): there are no users to take along", b.Name, ErrOpen)
	}
	untold := fmt.Errorf("source: broker %s, version %s, %w (4.7 to 4.9.7 do): give its files plain_acl.yml and "+
		"conf/acl to rocketshift users by --acl", b.Name, b.Version, ErrUntold)
	if !b.TellsAccounts() {
		return nil, untold
	}
	got, err := client.Call(ctx, b.Addr, &remoting.Command{Code: remoting.CodeACLConfig})
	if err != nil {
		return nil, fmt.Errorf("source: broker %s: %w", b.Name, err)
	}
	switch {
	case got.Code == remoting.NotSupported:
		return nil, untold
	case got.Code != remoting.Success:
		return nil, fmt.Errorf("source: broker %s: %w: check the source's keys, and that it has aclEnable=true", b.Name,
			&remoting.Error{
				Server: b.Addr, Call: remoting.RequestName(remoting.CodeACLConfig), Code: got.Code, Remark: got.Remark,
			})
	}
	return acl1.ReadAnswer("broker "+b.Name, got.Body)
}

// differs is a user of whom two brokers say different things, or what else they differ in.
func differs(a, b *acl1.Config) string {
	if !slices.Equal(sorted(a.GlobalAddresses), sorted(b.GlobalAddresses)) {
		return "globalWhiteRemoteAddresses"
	}
	here, there := byName(a.Users), byName(b.Users)
	for _, u := range slices.Concat(a.Users, b.Users) {
		if !reflect.DeepEqual(here[u.Name], there[u.Name]) {
			return "user " + u.Name
		}
		_, known := a.Secrets.Of(u.Name)
		if known && !a.Secrets.Same(b.Secrets, u.Name) {
			return "the secret of user " + u.Name
		}
	}
	return ""
}

func sorted(list []string) []string { return slices.Sorted(slices.Values(list)) }

func byName(users []rights.User) map[string]rights.User {
	out := map[string]rights.User{}
	for _, u := range users {
		out[u.Name] = u
	}
	return out
}
