package sources

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"rocketshift/internal/metadata"
	"rocketshift/internal/metadata/script"
	"rocketshift/internal/metadata/sheet"
)

// doorsIn are files for each door in.
func doorsIn(t *testing.T) map[string][]string {
	t.Helper()
	dir := t.TempDir()
	c := read(t, "../store/testdata/5.3.3/broker-a")
	file := func(name string, w metadata.Writer) string {
		var text bytes.Buffer
		_, err := w.Write(&text, c)
		require.NoError(t, err)
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, text.Bytes(), 0o644))
		return path
	}
	return map[string][]string{
		"yaml":    {file("c.yaml", metadata.Document{})},
		"json":    {file("c.json", metadata.Document{AsJSON: true})},
		"store":   {"../store/testdata/4.9.7/broker-a", "../store/testdata/4.9.7/broker-b"},
		"mqadmin": {"../mqadmin/testdata/4.9.7/metadata.json", "../mqadmin/testdata/4.9.7/configs.json"},
		"broker": {
			"broker-a=../store/testdata/4.9.7/export-b/topic.json",
			"broker-a=../store/testdata/4.9.7/export-b/subscriptionGroup.json",
		},
		"topics": {file("topics.xlsx", sheet.Writer{Kind: sheet.Topics})},
		"acl":    {file("d.yaml", metadata.Document{}), "testdata/conf"},
		"groups": {file("groups.dat", sheet.Writer{Kind: sheet.Groups})}, // by its content
	}
}

func read(t *testing.T, named ...string) metadata.Cluster {
	t.Helper()
	r, err := Open(named, Options{})
	require.NoError(t, err)
	c, _, err := r.Read(t.Context())
	require.NoError(t, err)
	return c
}

func TestEveryDoorInGivesAModelThatEveryDoorOutTakes(t *testing.T) {
	for name, files := range doorsIn(t) {
		t.Run(name, func(t *testing.T) {
			r, err := Open(files, Options{})
			require.NoError(t, err)
			c, gaps, err := r.Read(t.Context())
			require.NoError(t, err)
			require.NoError(t, c.Check())
			require.NotZero(t, len(c.Topics)+len(c.Groups))
			require.True(
				t,
				slices.IsSortedFunc(c.Topics, func(a, b metadata.Topic) int { return strings.Compare(a.Name, b.Name) }),
			)
			require.NotEmpty(t, c.Origin.Door)
			require.NotEmpty(t, c.Origin.Of)
			for _, topic := range c.Topics {
				require.NotContains(
					t,
					[]string{"TBW102", "broker-a", "DefaultCluster", "DefaultCluster_REPLY_TOPIC"},
					topic.Name,
				)
			}
			for _, g := range gaps {
				require.NotEmpty(t, g.What)
				require.NotEmpty(t, g.Why)
				require.LessOrEqual(t, len(g.Examples), 5)
			}
			text, err := c.YAML()
			require.NoError(t, err)
			again, err := read(t, files...).YAML()
			require.NoError(t, err)
			require.Equal(t, string(text), string(again), "two readings are the same bytes")
			for _, w := range []metadata.Writer{
				metadata.Document{},
				metadata.Document{AsJSON: true},
				script.Writer{},
				sheet.Writer{Kind: sheet.Topics},
				sheet.Writer{Kind: sheet.Groups},
			} {
				var out bytes.Buffer
				_, err := w.Write(&out, c)
				require.NoError(t, err)
				require.NotZero(t, out.Len())
				_, err = w.Write(&out, metadata.Cluster{})
				require.ErrorContains(t, err, "kind", "what Check refuses isn't written")
			}
		})
	}
}

func TestEachBadFileEndsInOneErrorThatNamesIt(t *testing.T) {
	dir := t.TempDir()
	for name, of := range map[string]struct{ text, want string }{
		"acl.yml": {"accounts:\n- accessKey: a\n  secretKey: never-shown\n", "ACL 1.0: "},
		"a.json":  {`{"topicConfigTable":`, "a.json: malformed JSON"},
		"b.json":  {`{"other":{}}`, "b.json: it has none of topicConfigTable"},
		"c.yaml":  {"\xff\xfek\x00i\x00", "c.yaml: it is UTF-16 or no text: save it as UTF-8"},
		"d.yaml":  {"kind: Plan", `d.yaml: kind "Plan" version 0: this release reads`},
		"e.xlsx":  {"no zip", "e.xlsx: it is no .xlsx, or not written whole"},
		"f.yaml":  {"", "f.yaml: it is empty"},
		"g.json":  {`{"topicConfigTable":{"t":{"readQueueNums":1,"writeQueueNums":1,"perm":6}}}`, "g.json: it doesn't tell the broker's name"},
		"h.json":  {"\xef\xbb\xbf" + `{"exportTime":1,"topicConfigTable":[]}`, "h.json: topicConfigTable: it is a list; want an object"},
		"i.bin":   {"\x00\x01\x02", "i.bin: it is UTF-16 or no text"},
		"j=k.txt": {"- list", "j=k.txt: the document: it is a list"},
	} {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(of.text), 0o644))
		r, err := Open([]string{path}, Options{})
		if err == nil {
			_, _, err = r.Read(t.Context())
		}
		require.ErrorContains(t, err, of.want, name)
		require.NotContains(t, err.Error(), "\n")
		var p *metadata.Problem
		require.ErrorAs(t, err, &p)
	}
}

func TestFilesOfACL1AreUsersWithoutSecrets(t *testing.T) {
	r, err := Open([]string{"testdata/conf/plain_acl.yml", "testdata/conf/acl"}, Options{})
	require.NoError(t, err)
	c, gaps, err := r.Read(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{"billing reader", "rocketmq-admin"}, []string{c.Users[0].Name, c.Users[1].Name})
	require.Len(t, c.Users[0].Rights, 2)
	require.Equal(t, "acl", c.Origin.Door)
	told := ""
	for _, g := range gaps {
		told += g.String() + "\n"
	}
	require.Contains(t, told, "clients without keys: ")
	require.Contains(t, told, "10.10.103.*")
	require.Contains(t, told, "secrets of users: ")
	text, err := c.YAML()
	require.NoError(t, err)
	require.NotContains(t, string(text)+told, "never-shown")
	again, err := metadata.Parse("c.yaml", text)
	require.NoError(t, err)
	require.Equal(t, c.Users, again.Users)
}
