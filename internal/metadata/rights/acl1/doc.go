// Package acl1 reads ACL 1.0: the files plain_acl.yml and acl/*.yml of a broker, and what brokers of
// 4.7 to 4.9.7 tell. Secrets go into a ring of their own. Errors name file and key, never a value.
package acl1

import (
	"rocketshift/internal/metadata/rights"
	"rocketshift/internal/metadata/rights/keyring"
)

// Config is what ACL 1.0 of a cluster says.
type Config struct {
	rights.ACL1
	Secrets *keyring.Ring // of users whose secrets could be read
	Hidden  []string      // users whose secrets couldn't
}

// Bounds of a configuration. Brokers read each file whole, and ask each list with each request.
const (
	mostBytes    = 8 << 20 // of one file or answer
	mostFiles    = 1000
	mostAccounts = 10_000
	mostRights   = 20_000 // of one account
	mostName     = 255    // bytes, of an account, topic or group
	mostSecret   = 4096   // bytes
	shortest     = 7      // brokers refuse shorter access and secret keys
)
