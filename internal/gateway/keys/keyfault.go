package keys

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// What a parser says of a file quotes the file, and with a colon or a quote forgotten a secret is
// part of what it quotes. So what is wrong with a file of keys is said in words of our own: with
// the line, and with names that such files may have.

var keyNames = []string{"applications", "unsigned", "accessKey", "secretKey", "target"}

var (
	faultLine    = regexp.MustCompile(`line (\d+)`)
	faultUnknown = regexp.MustCompile(`unknown field "([^"]*)"`)
	// The last part is the field's name, the first that of a Go type.
	faultKind = regexp.MustCompile(`cannot unmarshal \w+ into Go struct field \w+\.(?:\w+\.)*(\w+) of type`)
)

// faultOf is what is wrong with a file of keys, without anything that it holds.
func faultOf(err error) string {
	says, where := err.Error(), ""
	if line := faultLine.FindStringSubmatch(says); line != nil {
		where = "line " + line[1] + ": "
	}
	unknown, kind := faultUnknown.FindStringSubmatch(says), faultKind.FindStringSubmatch(says)
	last := len(keyNames) - 1
	possible := strings.Join(keyNames[:last], ", ") + " and " + keyNames[last]
	switch {
	case unknown != nil && isKeyName(unknown[1]):
		return fmt.Sprintf("unknown field %s there: possible are %s", unknown[1], possible)
	case unknown != nil:
		return "unknown field, which isn't shown as it may be a secret: possible are " + possible
	case kind != nil && isKeyName(kind[1]):
		return kind[1] + " is of a wrong kind"
	case strings.Contains(says, "cannot unmarshal"):
		return "something in it is of a wrong kind"
	case strings.Contains(says, "already set in map"):
		return where + "the same name twice"
	}
	return where + "it can't be read as YAML"
}

// isKeyName reports whether it is a name of such files, maybe in another spelling.
func isKeyName(name string) bool {
	plain := strings.NewReplacer("_", "", "-", "").Replace(name)
	return slices.ContainsFunc(keyNames, func(one string) bool { return strings.EqualFold(one, plain) })
}

// plainKey is an access key that can't have swallowed a secret: it has nothing that parts two
// words.
var plainKey = regexp.MustCompile(`^[A-Za-z0-9_.@/-]{1,128}$`)

// named names an access key in errors, if nothing else can be in it: else its place must do.
func (k Pair) named() string {
	if plainKey.MatchString(k.AccessKey) {
		return "access key " + k.AccessKey + ": "
	}
	return ""
}
