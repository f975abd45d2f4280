package plan

import (
	"fmt"
	"slices"
	"strings"
)

// checkTraffic refuses what gateways can't do.
func checkTraffic(c *Problems, p Plan) {
	t := p.Traffic
	switch t.Mode {
	case ModeRelease:
		if len(t.Gateways) > 0 || t.Credentials != nil {
			c.add("traffic.gateways",
				"they are of use in mode %s only; leave them and credentials out, or set traffic.mode",
				ModeGateway)
		}
		if p.Target.Proxy != "" {
			c.add("target.proxy", "set; behind a proxy groups can't be closed, nor topics: set traffic.mode %s",
				ModeGateway)
		} else if p.Target.Proxied() {
			c.add("traffic.mode", "%s; of an instance of provider aliyun only a proxy can be reached, behind which "+
				"groups can't be closed, nor topics: want %s", t.Mode, ModeGateway)
		}
		return
	case ModeGateway:
	default:
		c.add("traffic.mode", "%s; allowed: %s, %s", quote(t.Mode), ModeRelease, ModeGateway)
		return
	}
	if len(t.Gateways) == 0 {
		c.add("traffic.gateways", "missing; want the host:port of each gateway's control API, after "+
			"https:// if it has a certificate")
	}
	for i, address := range t.Gateways {
		if slices.Contains(t.Gateways[:i], address) {
			c.add(fmt.Sprintf("traffic.gateways[%d]", i), "%s; it is there twice", quote(address))
		}
	}
	var addresses []string
	for _, address := range t.Gateways {
		addresses = append(addresses, strings.TrimPrefix(address, "https://"))
	}
	checkNameServers(c, "traffic.gateways", addresses)
	if t.Credentials != nil && !envForm.MatchString(t.Credentials.Env) {
		c.add("traffic.credentials.env",
			"want a prefix of environment variables, capital letters, digits and _, such as GATEWAY for "+
				"GATEWAY_TOKEN; never the token itself")
	}
	if p.Replicate.OneWay {
		c.add("replicate.oneWay", "true; a gateway moves only what is copied both ways: leave it out")
	}
	if p.Target.Rename != nil {
		c.add("target.rename",
			"set; behind a gateway names are the same on both sides: leave it out, or use traffic.mode %s",
			ModeRelease)
	}
}
