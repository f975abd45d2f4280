package members

import (
	"slices"
	"strings"

	"rocketshift/api"
	"rocketshift/internal/clusters/inventory/facts"
	"rocketshift/internal/findings"
	"rocketshift/internal/printable"
)

// managedNames begin names that ApsaraMQ 4.x gives or asks for: an instance's id, and groups.
var managedNames = []string{"MQ_INST_", "GID_"}

// unseen says once what brokers can't tell: ApsaraMQ 4.x answers HTTP and gRPC v1 by proxies, and its
// brokers see these alone. Who knows of such clients writes them into the file of what was seen.
func unseen(seen facts.Facts) []api.Finding {
	var signs []string
	for _, name := range slices.Concat(seen.GroupNames, seen.TopicNames) {
		if slices.ContainsFunc(managedNames, func(begin string) bool { return strings.HasPrefix(name, begin) }) {
			signs = append(signs, name)
		}
	}
	for _, c := range seen.Clients() {
		switch familyOf(c).name {
		case onsTCP2.name, onsHTTP.name:
			return nil // somebody told, or a broker did
		case onsTCP1.name:
			signs = append(signs, c.ID)
		}
	}
	if len(signs) == 0 {
		return nil
	}
	return []api.Finding{findings.ClientsUnseen.Advice("clients", "",
		"names are those of ApsaraMQ 4.x, whose ONS HTTP and ONS TCP 2.x clients aren't visible from brokers").
		With(seen.At, "such names: %s", printable.Listed(slices.Compact(signs)))}
}

// quotas says what a managed target must allow, which neither brokers nor proxies tell.
func quotas(seen facts.Facts) []api.Finding {
	if !seen.Plan.Target.Proxied() {
		return nil
	}
	return []api.Finding{findings.TargetQuotas.Advice("target", "",
		"must allow %d topics, %d groups and %d clients connected at a time, and its proxy doesn't tell how many it does",
		len(seen.TopicNames), len(seen.GroupNames), seen.ClientIDs())}
}
