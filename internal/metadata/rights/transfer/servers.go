package transfer

import (
	"slices"

	"rocketshift/internal/metadata/rights"
)

// ofServers is what the target's brokers themselves make of access control, whoever the users are.
// TestLongBrokersThatAuthoriseReadsOfProxies shows it.
func ofServers(all []*node) []rights.Note {
	notes := []rights.Note{{
		Kind: rights.NotKept, Object: "codes 200, 25 and 26",
		Text: "every user may make and change consumer groups, change the brokers' configuration, and read it with the " +
			"secrets of initAuthenticationUser and innerClientAuthenticationCredentials: brokers of 5.3.3 and 5.5.0 ask " +
			"for no right there, and ACL 1.0 lets only admins change",
		Do: "let only proxies and administrators, and applications that you trust so far, reach the brokers' ports",
	}}
	if slices.ContainsFunc(all, func(n *node) bool { return n.rules == rights.Rules53 }) {
		notes = append(notes, rights.Note{
			Kind: rights.NotKept, Object: "gRPC consumers behind a proxy",
			Text: "they read nothing, super users neither: brokers of 5.3.3 that authorise answer every read of a proxy " +
				"with POLLING_TIMEOUT",
			Do: "take brokers of 5.5.0, or leave authorization to the proxy: authorizationEnabled=false at the brokers, " +
				"which then check signatures alone; other clients aren't concerned",
		})
	}
	return notes
}
