package sources

import (
	"context"
	"os"
	"path/filepath"
	"regexp"

	"rocketshift/internal/metadata"
	"rocketshift/internal/metadata/rights/acl1"
)

// ofACL finds the keys of plain_acl.yml and acl/*.yml, which no model has.
var ofACL = regexp.MustCompile(`(?m)^(accounts|globalWhiteRemoteAddresses)[ \t]*:`)

// holdsACL reports whether a folder holds files of ACL 1.0, such as conf or conf/acl, and is no
// store of a broker.
func holdsACL(folder string) bool {
	for _, ofStore := range []string{"topics.json", "config"} {
		if _, err := os.Stat(filepath.Join(folder, ofStore)); err == nil {
			return false
		}
	}
	for _, pattern := range []string{"*.yml", "*.yaml"} {
		if found, err := filepath.Glob(filepath.Join(folder, pattern)); err == nil && len(found) > 0 {
			return true
		}
	}
	return false
}

// accounts reads files of ACL 1.0.
type accounts struct{ paths []string }

func (a accounts) Read(context.Context) (c metadata.Cluster, gaps metadata.Gaps, err error) {
	c = metadata.New(metadata.Origin{Door: "acl"})
	config, err := acl1.ReadFiles(a.paths)
	if err != nil {
		return c, nil, &metadata.Problem{In: "ACL 1.0", Why: err.Error()}
	}
	c.TakeAccounts(config.ACL1, &gaps)
	c.Sort()
	return c, gaps, nil
}
