package acl1

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"rocketshift/internal/metadata/rights"
	"rocketshift/internal/metadata/rights/keyring"
)

// reading is one file or answer that is read. where is its name.
type reading struct {
	where  string
	hides  bool // secrets may be missing, as brokers may hide them
	config *Config
	from   map[string]string // where each account was found
}

func newConfig() *Config { return &Config{Secrets: &keyring.Ring{}} }

func (r *reading) wrong(key, format string, args ...any) error {
	return fmt.Errorf("%s: %s: %s", r.where, key, fmt.Sprintf(format, args...))
}

// table is a mapping of YAML or JSON with text keys.
type table map[string]any

func (r *reading) table(key string, v any) (table, error) {
	out := table{}
	switch v := v.(type) {
	case map[string]any:
		return v, nil
	case map[any]any:
		for k, value := range v {
			name, ok := k.(string)
			if !ok {
				return nil, r.wrong(key, "want keys that are names")
			}
			out[name] = value
		}
		return out, nil
	}
	return nil, r.wrong(key, "want a mapping of keys and values")
}

// only refuses keys that aren't known, since they may say something that would be lost.
func (r *reading) only(key string, t table, known ...string) error {
	for _, name := range slices.Sorted(maps.Keys(t)) {
		if !slices.Contains(known, name) {
			return r.wrong(key, "it has a key that isn't known; allowed: %s", strings.Join(known, ", "))
		}
	}
	return nil
}

func (r *reading) list(key string, v any, most int) ([]any, error) {
	if v == nil {
		return nil, nil
	}
	all, ok := v.([]any)
	if !ok {
		return nil, r.wrong(key, "want a list")
	}
	if len(all) > most {
		return nil, r.wrong(key, "it has %d entries; at most %d are read", len(all), most)
	}
	return all, nil
}

// text reads a text, or a number as brokers read it.
func (r *reading) text(key string, v any, most int) (string, error) {
	out := ""
	switch v := v.(type) {
	case nil:
	case string:
		out = v
	case int:
		out = strconv.Itoa(v)
	case int64:
		out = strconv.FormatInt(v, 10)
	case uint64:
		out = strconv.FormatUint(v, 10)
	default:
		return "", r.wrong(key, "want a text; write it in quotes, as brokers read it")
	}
	if len(out) > most || strings.ContainsFunc(out, unicode.IsControl) {
		return "", r.wrong(key, "want at most %d bytes, without control characters", most)
	}
	return out, nil
}

// account reads one entry of accounts.
func (r *reading) account(key string, v any) error {
	t, err := r.table(key, v)
	if err != nil {
		return err
	}
	if err := r.only(key, t, "accessKey", "secretKey", "whiteRemoteAddress", "admin", "defaultTopicPerm",
		"defaultGroupPerm", "topicPerms", "groupPerms"); err != nil {
		return err
	}
	u := rights.User{Type: rights.Normal, Status: rights.Enabled}
	if u.Name, err = r.text(key+".accessKey", t["accessKey"], mostName); err != nil {
		return err
	}
	if len(u.Name) < shortest {
		return r.wrong(key+".accessKey", "brokers want %d characters or more", shortest)
	}
	if u.Type, err = r.admin(key+".admin", t["admin"]); err != nil {
		return err
	}
	if u.Addresses, err = r.text(key+".whiteRemoteAddress", t["whiteRemoteAddress"], mostSecret); err != nil {
		return err
	}
	if u.DefaultTopic, err = r.permission(key+".defaultTopicPerm", t["defaultTopicPerm"]); err != nil {
		return err
	}
	if u.DefaultGroup, err = r.permission(key+".defaultGroupPerm", t["defaultGroupPerm"]); err != nil {
		return err
	}
	if err := r.rights(&u, key, t); err != nil {
		return err
	}
	secret, err := r.text(key+".secretKey", t["secretKey"], mostSecret)
	if err != nil {
		return err
	}
	return r.keep(key, u, secret)
}

// masked is how a secret looks that a broker hides.
func masked(secret string) bool { return strings.Trim(secret, "*") == "" }

// keep takes an account. Brokers use the first one of a name, in an order of files that is any.
func (r *reading) keep(key string, u rights.User, secret string) error {
	switch {
	case r.hides && masked(secret):
		r.config.Hidden = append(r.config.Hidden, u.Name)
	case len(secret) < shortest:
		return r.wrong(key+".secretKey", "brokers want %d characters or more", shortest)
	}
	if at, twice := r.from[u.Name]; twice {
		return r.wrong(key+".accessKey", "account %s is in %s too, and brokers take either: leave one", u.Name, at)
	}
	r.from[u.Name] = r.where
	if len(r.config.Users) == mostAccounts {
		return r.wrong(key, "there are more than %d accounts", mostAccounts)
	}
	r.config.Users = append(r.config.Users, u)
	if !masked(secret) {
		r.config.Secrets.Put(u.Name, secret)
	}
	return nil
}

func (r *reading) admin(key string, v any) (rights.Type, error) {
	switch v {
	case nil, false, "false":
		return rights.Normal, nil
	case true, "true":
		return rights.Super, nil
	}
	return "", r.wrong(key, "want true or false")
}

func (r *reading) permission(key string, v any) (rights.Permission, error) {
	text, err := r.text(key, v, mostName)
	if err != nil {
		return "", err
	}
	switch p := strings.TrimSpace(text); p {
	case "", "DENY", "PUB", "SUB", "PUB|SUB":
		return rights.Permission(p), nil
	case "SUB|PUB":
		return rights.PubSub, nil
	}
	return "", r.wrong(key, "want DENY, PUB, SUB or PUB|SUB; brokers read anything else as DENY")
}

// retryPrefix begins the topic by which ACL 1.0 keeps a group's right.
const retryPrefix = "%RETRY%"

// rights reads the lists. Of two for one name the later counts, and topics come after groups.
func (r *reading) rights(u *rights.User, key string, t table) error {
	at := map[rights.Resource]int{}
	for _, of := range []struct {
		key string
		as  func(string) rights.Resource
	}{{"groupPerms", rights.GroupNamed}, {"topicPerms", topicOrGroup}} {
		list, err := r.list(key+"."+of.key, t[of.key], mostRights)
		if err != nil {
			return err
		}
		for i, v := range list {
			right, err := r.right(fmt.Sprintf("%s.%s[%d]", key, of.key, i), v, of.as)
			if err != nil {
				return err
			}
			if before, twice := at[right.Resource]; twice {
				u.Rights[before] = right
				continue
			}
			at[right.Resource] = len(u.Rights)
			u.Rights = append(u.Rights, right)
		}
	}
	return nil
}

func topicOrGroup(name string) rights.Resource {
	if group, ofGroup := strings.CutPrefix(name, retryPrefix); ofGroup {
		return rights.GroupNamed(group)
	}
	return rights.TopicNamed(name)
}

func (r *reading) right(key string, v any, as func(string) rights.Resource) (rights.Right, error) {
	text, err := r.text(key, v, mostName+16)
	if err != nil {
		return rights.Right{}, err
	}
	name, perm, ok := strings.Cut(text, "=")
	name = strings.TrimSpace(name)
	if !ok || name == "" || strings.Contains(perm, "=") || len(name) > mostName {
		return rights.Right{}, r.wrong(key, "want NAME=PERM, such as orders=PUB|SUB")
	}
	p, err := r.permission(key, perm)
	if err != nil {
		return rights.Right{}, err
	}
	if p == "" {
		return rights.Right{}, r.wrong(key, "want NAME=PERM, such as orders=PUB|SUB")
	}
	right := rights.Right{Resource: as(name), Actions: p.Actions(), Decision: rights.Allow}
	if len(right.Actions) == 0 {
		right.Actions, right.Decision = []rights.Action{rights.Send, rights.Read}, rights.Refuse
	}
	return right, nil
}
