package secrets

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/plan"
)

var environment = map[string]string{
	"SOURCE_ACCESS_KEY": "the-access-key", "SOURCE_SECRET_KEY": "the-secret-key",
	"SOURCE_SECURITY_TOKEN": "the-security-token", "HALF_ACCESS_KEY": "half-a-key",
	"GATEWAY_TOKEN": "the-token", "GATEWAY_CA": "/etc/ca.pem", "ROCKETSHIFT_GATEWAY_TOKEN": "the-default-token",
	"GITHUB_TOKEN": "not-for-gateways", "AWS_ACCESS_KEY": "not-for-clusters",
	"AWS_SECRET_KEY": "not-for-clusters",
}

func store(t *testing.T, text string) *Store {
	t.Helper()
	s, err := New(text, func(name string) string { return environment[name] })
	require.NoError(t, err)
	return s
}

func TestKeysAreUsedWithTheHostsOfTheWorkersOwnConfiguration(t *testing.T) {
	s := store(t, "SOURCE=10.0.0.1:9876,Names.Example.com; HALF=10.0.0.1:9876\n "+
		"OTHER=10.0.0.3:9876,http://10.0.0.4:1")
	for name, c := range map[string]struct {
		prefix  string
		at      []string
		allowed bool
	}{
		"host and port": {"SOURCE", []string{"10.0.0.1:9876"}, true},
		"a host with all its ports": {
			"SOURCE",
			[]string{"10.0.0.1:9876", "names.example.com.:1234"},
			true,
		},
		"another port": {"SOURCE", []string{"10.0.0.1:9877"}, false},
		"one of two is foreign": {
			"SOURCE",
			[]string{"10.0.0.1:9876", "evil.example.com:9876"},
			false,
		},
		"another prefix's host":    {"SOURCE", []string{"10.0.0.3:9876"}, false},
		"a prefix without hosts":   {"AWS", []string{"10.0.0.1:9876"}, false},
		"this machine":             {"AWS", []string{"127.0.0.1:9876"}, false},
		"a name that begins alike": {"SOURCE", []string{"names.example.com.evil.org:1"}, false},
	} {
		keys, err := s.Keys("target", &plan.Credentials{Env: c.prefix}, c.at)
		if c.allowed {
			require.NoError(t, err, name)
			assert.Equal(t, "the-access-key", keys.AccessKey)
			assert.Equal(t, "the-security-token", keys.SecurityToken)
			continue
		}
		var forbidden *ForbiddenError
		require.ErrorAs(t, err, &forbidden, name)
		require.Nil(t, keys)
		assert.Contains(t, err.Error(), "target.credentials: this worker doesn't use "+
			""+c.prefix+"_ACCESS_KEY with "+c.at[len(c.at)-1])
		assert.Contains(t, err.Error(), `set ROCKETSHIFT_SECRETS="`+c.prefix+"=")
		assert.NotContains(t, err.Error(), "not-for-clusters")
	}
	none, err := s.Keys("source", nil, []string{"10.9.9.9:1"})
	require.NoError(t, err)
	require.Nil(t, none)
	_, err = s.Keys("source", &plan.Credentials{Env: "HALF"}, []string{"10.0.0.1:9876"})
	var missing *MissingError
	require.ErrorAs(t, err, &missing)
	require.ErrorContains(t, err, "has no HALF_ACCESS_KEY and HALF_SECRET_KEY")
	require.NotContains(t, err.Error(), "half-a-key")
}

func TestATokenGoesToTheGatewaysOfTheWorkersOwnConfiguration(t *testing.T) {
	s := store(t, "GATEWAY=10.0.0.9:8089,http://10.0.0.10:8089,127.0.0.1")
	traffic := func(prefix string, at ...string) plan.Traffic {
		t := plan.Traffic{Mode: plan.ModeGateway, Gateways: at}
		if prefix != "" {
			t.Credentials = &plan.Credentials{Env: prefix}
		}
		return t
	}
	for name, c := range map[string]struct {
		traffic plan.Traffic
		says    string
		plain   bool
	}{
		"over TLS": {traffic: traffic("GATEWAY", "https://10.0.0.9:8089")},
		"in plain text": {
			traffic: traffic("GATEWAY", "10.0.0.9:8089"),
			says:    "in plain text over a network",
		},
		"in plain text, allowed": {traffic: traffic("GATEWAY", "10.0.0.10:8089"), plain: true},
		"this machine, named":    {traffic: traffic("GATEWAY", "127.0.0.1:8089")},
		"this machine, by default": {traffic: traffic("", "127.0.0.1:8089", "localhost:1",
			"[::1]:1")},
		"another machine, by default": {
			traffic: traffic("", "https://10.0.0.9:8089"),
			says:    "doesn't send ROCKETSHIFT_GATEWAY_TOKEN to 10.0.0.9:8089",
		},
		"any other token": {
			traffic: traffic("GITHUB", "https://evil.example.com:443"),
			says:    "doesn't send GITHUB_TOKEN to evil.example.com:443",
		},
		"any other token on this machine": {
			traffic: traffic("GITHUB", "127.0.0.1:8089"),
			says:    "doesn't send GITHUB_TOKEN",
		},
		"one of two is foreign": {traffic: traffic("GATEWAY", "https://10.0.0.9:8089",
			"https://10.0.0.11:8089"), says: "to 10.0.0.11:8089"},
	} {
		g, err := s.Gateways(c.traffic)
		if c.says == "" {
			require.NoError(t, err, name)
			assert.Equal(t, environment[g.Prefix+"_TOKEN"], g.Token)
			assert.Equal(t, c.plain, g.Plain, name)
			continue
		}
		var forbidden *ForbiddenError
		require.ErrorAs(t, err, &forbidden, name)
		require.ErrorContains(t, err, c.says, name)
		require.ErrorContains(t, err, "ROCKETSHIFT_SECRETS", name)
		require.Empty(t, g.Token)
	}
	g, err := s.Gateways(traffic("GATEWAY", "https://10.0.0.9:8089"))
	require.NoError(t, err)
	assert.Equal(t, "/etc/ca.pem", g.CA)
	_, err = store(t, "NONE=127.0.0.1").Gateways(traffic("NONE", "127.0.0.1:1"))
	var missing *MissingError
	require.ErrorAs(t, err, &missing)
}

func TestAConfigurationThatCantBeMeantIsRefused(t *testing.T) {
	for text, says := range map[string]string{
		"SOURCE":             "want entries such as",
		"source=10.0.0.1:1":  "want entries such as",
		"SOURCE=":            `"" is no host`,
		"SOURCE=10.0.0.1:1,": `"" is no host`,
		"SOURCE=*":           `"*" is no host`,
		"SOURCE=a/b":         `"a/b" is no host`,
	} {
		_, err := New(text, nil)
		require.ErrorContains(t, err, "ROCKETSHIFT_SECRETS: ", text)
		require.ErrorContains(t, err, says, text)
	}
}
