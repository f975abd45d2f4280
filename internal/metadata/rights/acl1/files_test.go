package acl1

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/metadata/rights"
)

const secret = "never-to-be-shown"

func written(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	}
	return dir
}

func TestPlainACLAndTheFolderAreOneConfiguration(t *testing.T) {
	dir := written(t, map[string]string{
		"conf/plain_acl.yml": `
globalWhiteRemoteAddresses:
- 10.10.103.*
- 192.168.0.*
accounts:
- accessKey: RocketMQ
  secretKey: 12345678
  whiteRemoteAddress:
  admin: false
  defaultTopicPerm: DENY
  defaultGroupPerm: SUB
  topicPerms:
  - topicA=DENY
  - topicB=PUB|SUB
  - topicC = SUB
  - "%RETRY%groupD=SUB"
  groupPerms:
  - groupA=DENY
- accessKey: rocketmq2
  secretKey: "12345678"
  whiteRemoteAddress: 192.168.1.*
  admin: true
dataVersion:
- counter: 3
  timestamp: 1
`,
		"conf/acl/more.yml":     "accounts:\n- {accessKey: reader-1, secretKey: " + secret + "}\n",
		"conf/acl/sub/one.yaml": "accounts:\n- {accessKey: reader-2, secretKey: " + secret + "}\n",
		"conf/acl/empty.yml":    "",
		"conf/tools.yml":        "accessKey: rocketmq2\nsecretKey: " + secret + "\n",
		"conf/broker.conf":      "aclEnable=true\n",
	})
	for _, paths := range [][]string{
		{dir + "/conf"}, {dir + "/conf/plain_acl.yml", dir + "/conf/acl", dir + "/conf/acl/more.yml"},
	} {
		c, err := ReadFiles(paths)
		require.NoError(t, err)
		assert.Equal(t, []string{"10.10.103.*", "192.168.0.*"}, c.GlobalAddresses)
		byName := map[string]rights.User{}
		for _, u := range c.Users {
			byName[u.Name] = u
		}
		assert.Len(t, byName, 4)
		got := byName["RocketMQ"]
		assert.Equal(t, rights.Deny, got.DefaultTopic)
		assert.Equal(t, rights.Sub, got.DefaultGroup)
		assert.Contains(t, got.Rights, rights.Right{
			Resource: rights.GroupNamed("groupD"), Actions: []rights.Action{rights.Read}, Decision: rights.Allow,
		})
		assert.Contains(t, got.Rights, rights.Right{
			Resource: rights.TopicNamed("topicC"), Actions: []rights.Action{rights.Read}, Decision: rights.Allow,
		})
		assert.Equal(t, rights.Refuse, got.Rights[0].Decision)
		assert.Equal(t, rights.Super, byName["rocketmq2"].Type)
		assert.Equal(t, "192.168.1.*", byName["rocketmq2"].Addresses)
		for name := range byName {
			_, known := c.Secrets.Of(name)
			assert.True(t, known, name)
		}
		password, _ := c.Secrets.Of("RocketMQ")
		assert.Equal(t, "12345678", password, "a number is read as its digits")
	}
}

func TestEachBadFileEndsInOneErrorThatNamesFileAndKeyAndNoSecret(t *testing.T) {
	account := func(more string) string {
		return "accounts:\n- accessKey: user-one\n  secretKey: " + secret + "\n" + more
	}
	for says, text := range map[string]string{
		"line 2: it isn't YAML":                                 "accounts:\n- accessKey: [" + secret + "\n  x: y\n",
		"line 4: it isn't YAML, or has a key twice":             account("  secretKey: " + secret + "\n"),
		"accounts[0]: it has a key that isn't known":            account("  namespacePerms: []\n"),
		"the file: it has a key that isn't known":               account("") + "global: []\n",
		"accounts[0].admin: want true or false":                 account("  admin: " + secret + "\n"),
		"accounts[0].topicPerms[0]: want NAME=PERM":             account("  topicPerms: [" + secret + "]\n"),
		"accounts[0].topicPerms[1]: want DENY, PUB":             account("  topicPerms: [a=PUB, b=pub]\n"),
		"accounts[0].defaultTopicPerm: want DENY":               account("  defaultTopicPerm: ALLOW\n"),
		"accounts[0].topicPerms: want a list":                   account("  topicPerms: a=PUB\n"),
		"accounts[0].accessKey: brokers want 7":                 "accounts:\n- {accessKey: short, secretKey: " + secret + "}\n",
		"accounts[0].secretKey: brokers want 7":                 "accounts:\n- {accessKey: user-one, secretKey: short}\n",
		"accounts[0].secretKey: want a text; write it in quote": "accounts:\n- {accessKey: user-one, secretKey: 1.5e300}\n",
		"accounts[1].accessKey: account user-one is in":         account("- {accessKey: user-one, secretKey: " + secret + "}\n"),
		"accounts: want a list":                                 "accounts: {accessKey: user-one}\n",
		"accounts[0]: want a mapping":                           "accounts: [" + secret + "]\n",
		"the file: want a mapping":                              secret,
		"it has more than":                                      strings.Repeat("# "+secret+"\n", mostBytes/10),
		"no account is in there":                                "accounts: []\n",
		"the file: it isn't YAML, or has":                       "accounts:\n- *" + secret + "\n",
	} {
		dir := written(t, map[string]string{"plain_acl.yml": text})
		path := filepath.Join(dir, "plain_acl.yml")
		_, err := ReadFiles([]string{path})
		require.ErrorContains(t, err, says)
		require.ErrorContains(t, err, path)
		require.NotContains(t, err.Error(), secret)
	}
	_, err := ReadFiles([]string{"/nowhere/plain_acl.yml"})
	require.ErrorContains(t, err, "/nowhere/plain_acl.yml")
}

func TestAnswersOfBrokersAreReadAndHiddenSecretsAreKnownAsSuch(t *testing.T) {
	c, err := ReadAnswer("10.0.0.1:10911", []byte(`{"globalWhiteAddrs":["10.1.*.*"],"plainAccessConfigs":[
		{"accessKey":"user-one","secretKey":"`+secret+`","admin":true},
		{"accessKey":"user-two","secretKey":"******","topicPerms":["a=PUB"]},{"accessKey":"user-three"}]}`))
	require.NoError(t, err)
	assert.Len(t, c.Users, 3)
	assert.Equal(t, []string{"user-two", "user-three"}, c.Hidden)
	got, _ := c.Secrets.Of("user-one")
	assert.Equal(t, secret, got)
	for _, body := range []string{"", "[]", `{"plainAccessConfigs":[{"accessKey":"user-one","secretKey":["` + secret + `"]}]}`} {
		_, err := ReadAnswer("10.0.0.1:10911", []byte(body))
		require.ErrorContains(t, err, "10.0.0.1:10911: ")
		require.NotContains(t, err.Error(), secret)
	}
}

func FuzzFilesNeverPanicNorShowWhatTheyHold(f *testing.F) {
	f.Add("accounts:\n- {accessKey: user-one, secretKey: " + secret + "}\n")
	f.Fuzz(func(t *testing.T, text string) {
		r := &reading{where: "file", config: newConfig(), from: map[string]string{}}
		if err := r.file([]byte(text)); err != nil {
			require.NotContains(t, err.Error(), secret)
		}
	})
}
