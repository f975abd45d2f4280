package acl2

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"rocketshift/internal/metadata/rights"
	"rocketshift/internal/metadata/rights/keyring"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
)

// Broker is one master or slave.
type Broker struct {
	Client *rocketmq.Client
	Name   string
	Addr   string
}

// State is what a broker holds.
type State struct {
	Users   []rights.User // sorted by name
	Secrets *keyring.Ring // what the broker tells of them
}

// User is the user of that name.
func (s State) User(name string) (rights.User, bool) {
	at := slices.IndexFunc(s.Users, func(u rights.User) bool { return u.Name == name })
	if at < 0 {
		return rights.User{}, false
	}
	return s.Users[at], true
}

// call makes a call. Remarks are scrubbed of the secrets that the caller sends.
func (b Broker) call(
	ctx context.Context, code int, object string, fields map[string]string, body any, ring *keyring.Ring,
) ([]byte, error) {
	cmd := &remoting.Command{Code: code, Fields: fields}
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return nil, fmt.Errorf("%s %s: it can't be encoded", b.Name, object)
		}
		cmd.Body = text
	}
	got, err := b.Client.Call(ctx, b.Addr, cmd)
	if err != nil {
		return nil, fmt.Errorf("broker %s: %w", b.Name, err)
	}
	if got.Code == remoting.Success {
		return got.Body, nil
	}
	call := strings.TrimSpace(remoting.RequestName(code) + " " + object)
	refusal := &remoting.Error{Server: b.Addr, Call: call, Code: got.Code, Remark: ring.Scrubbed(got.Remark)}
	return nil, fmt.Errorf("broker %s: %w%s", b.Name, refusal, whatToDo(got.Code))
}

func whatToDo(code int) string {
	switch code {
	case remoting.NotSupported:
		return ": it has no ACL 2.0, which 5.3 and later have"
	case remoting.NoPermission:
		return ": call it as a super user, such as that of initAuthenticationUser"
	case remoting.SystemError:
		return ": check that authenticationMetadataProvider and authorizationMetadataProvider are set in its " +
			"configuration, and that it is called as a super user"
	}
	return ""
}

// Read reads all users with their rights and secrets.
func (b Broker) Read(ctx context.Context) (State, error) {
	s := State{Secrets: &keyring.Ring{}}
	var users []userInfo
	if err := b.list(ctx, remoting.CodeListUsers, &users); err != nil {
		return s, err
	}
	var acls []aclInfo
	if err := b.list(ctx, remoting.CodeListACLs, &acls); err != nil {
		return s, err
	}
	of := map[string]aclInfo{}
	for _, a := range acls {
		of[strings.TrimPrefix(a.Subject, subjectPrefix)] = a
	}
	for _, one := range users {
		u := one.user()
		var err error
		if u.Rights, err = of[u.Name].rights(); err != nil {
			return s, fmt.Errorf("broker %s: user %s: %w", b.Name, u.Name, err)
		}
		s.Users = append(s.Users, u)
		if one.Password != "" {
			s.Secrets.Put(u.Name, one.Password)
		}
	}
	slices.SortFunc(s.Users, func(a, b rights.User) int { return cmp.Compare(a.Name, b.Name) })
	return s, nil
}

// list asks for everything. No body means that there is nothing.
func (b Broker) list(ctx context.Context, code int, into any) error {
	body, err := b.call(ctx, code, "", map[string]string{}, nil, nil)
	if err != nil || len(body) == 0 {
		return err
	}
	if json.Unmarshal(body, into) != nil { // its own error may show a part of the body
		return fmt.Errorf("broker %s: %s: its answer can't be read", b.Name, remoting.RequestName(code))
	}
	return nil
}

// Create makes a user that may do nothing yet, unless it is a super user.
func (b Broker) Create(ctx context.Context, u rights.User, secret string) error {
	return b.put(ctx, remoting.CodeCreateUser, u, secret)
}

// Update replaces a user's secret, type and status.
func (b Broker) Update(ctx context.Context, u rights.User, secret string) error {
	return b.put(ctx, remoting.CodeUpdateUser, u, secret)
}

func (b Broker) put(ctx context.Context, code int, u rights.User, secret string) error {
	ring := &keyring.Ring{}
	ring.Put(u.Name, secret)
	_, err := b.call(ctx, code, u.Name, map[string]string{"username": u.Name}, userInfo{
		Username: u.Name, Password: secret, Type: typeOnWire(u.Type), Status: string(u.Status),
	}, ring)
	return err
}

// Grant adds a user's rights to those that the broker holds, all in one call. Of a resource that
// has one already, the new one counts.
func (b Broker) Grant(ctx context.Context, u rights.User) error {
	if len(u.Rights) == 0 {
		return nil
	}
	a := aclOf(u)
	_, err := b.call(ctx, remoting.CodeCreateACL, u.Name, map[string]string{"subject": a.Subject}, a, nil)
	return err
}

// Revoke takes all rights of a user.
func (b Broker) Revoke(ctx context.Context, user string) error {
	_, err := b.call(ctx, remoting.CodeDeleteACL, user, map[string]string{"subject": subjectPrefix + user}, nil, nil)
	return err
}

// RevokeOne takes one right of a user.
func (b Broker) RevokeOne(ctx context.Context, user string, r rights.Right) error {
	policy := custom
	if r.Default {
		policy = byDefault
	}
	_, err := b.call(ctx, remoting.CodeDeleteACL, user, map[string]string{
		"subject": subjectPrefix + user, "policyType": policy, "resource": resourceOnWire(r.Resource),
	}, nil, nil)
	return err
}
