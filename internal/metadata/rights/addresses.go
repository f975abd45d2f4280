package rights

import (
	"fmt"
	"math/bits"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// addressRange is from its first address to its last, both of one family.
type addressRange struct{ first, last netip.Addr }

// Addresses are what an address pattern of ACL 1.0 matches.
type Addresses struct {
	everywhere bool
	ranges     []addressRange
	unknown    string // a pattern that isn't understood; it matches nothing here
}

// Parse1 reads a pattern of ACL 1.0 (RemoteAddressStrategyFactory, 4.9.7): one address, several by
// commas, 10.0.0.{1,2}, 10.0.0.*, 10.0.*.*, 10.0.0.5-9, 10.0.5-9.*, and * for all. IPv6 ranges
// aren't read.
func Parse1(pattern string) (a Addresses) {
	pattern = strings.TrimSpace(pattern)
	switch pattern {
	case "":
		return a
	case "*", "*.*.*.*", "*:*:*:*:*:*:*:*":
		a.everywhere = true
		return a
	}
	all := listed(pattern)
	for _, one := range all {
		r, ok := rangeOf(one)
		if !ok || (len(all) > 1 || strings.HasSuffix(pattern, "}")) && r.first != r.last { // lists hold no ranges
			return Addresses{unknown: pattern}
		}
		a.ranges = append(a.ranges, r)
	}
	return a
}

// listed are the single addresses or the range of a pattern.
func listed(pattern string) []string {
	if head, list, ok := strings.Cut(pattern, "{"); ok && strings.HasSuffix(list, "}") {
		var all []string
		for end := range strings.SplitSeq(strings.TrimSuffix(list, "}"), ",") {
			all = append(all, head+strings.TrimSpace(end))
		}
		return all
	}
	return strings.Split(pattern, ",")
}

func rangeOf(text string) (addressRange, bool) {
	text = strings.TrimSpace(text)
	if one, err := netip.ParseAddr(text); err == nil {
		return addressRange{one, one}, true
	}
	parts := strings.Split(text, ".")
	if len(parts) < 2 || len(parts) > 4 {
		return addressRange{}, false
	}
	var low, high [4]byte
	open := false // everything from the first range on is open
	for i := range low {
		part := "*"
		if i < len(parts) {
			part = strings.TrimSpace(parts[i])
		}
		from, to, ok := octets(part)
		if !ok || open && part != "*" {
			return addressRange{}, false
		}
		if from != to {
			open = true
		}
		low[i], high[i] = from, to
	}
	return addressRange{netip.AddrFrom4(low), netip.AddrFrom4(high)}, open && low[0] == high[0]
}

func octets(part string) (from, to byte, ok bool) {
	if part == "*" {
		return 0, 255, true
	}
	low, high, isRange := strings.Cut(part, "-")
	if !isRange {
		high = low
	}
	first, err := strconv.ParseUint(low, 10, 8)
	last, err2 := strconv.ParseUint(high, 10, 8)
	return byte(first), byte(last), err == nil && err2 == nil && first <= last
}

func matchesAny(a Addresses, addr netip.Addr) bool {
	return a.everywhere && addr.IsValid() || slices.ContainsFunc(a.ranges, func(r addressRange) bool {
		return addr.Is4() == r.first.Is4() && r.first.Compare(addr) <= 0 && addr.Compare(r.last) <= 0
	})
}

// mostSources is how many ranges an entry of ACL 2.0 gets at most: brokers go through all of them
// with each request.
const mostSources = 64

// Sources are the patterns of ACL 2.0 that match the same addresses.
func (a Addresses) Sources() ([]string, error) {
	if a.unknown != "" {
		return nil, fmt.Errorf("%q isn't understood", a.unknown)
	}
	var out []string
	for _, r := range a.ranges {
		for _, p := range prefixes(r) {
			if p.IsSingleIP() {
				out = append(out, p.Addr().String())
			} else {
				out = append(out, p.String())
			}
		}
	}
	out = slices.Compact(out)
	if len(out) > mostSources {
		return nil, fmt.Errorf("it takes %d ranges of addresses, and an entry gets at most %d", len(out), mostSources)
	}
	return out, nil
}

// prefixes are the fewest CIDR ranges that hold the same IPv4 addresses.
func prefixes(r addressRange) (out []netip.Prefix) {
	if r.first == r.last {
		return []netip.Prefix{netip.PrefixFrom(r.first, r.first.BitLen())}
	}
	from, to := number(r.first), number(r.last)
	for from <= to {
		free := 32 // bits that may vary from here on
		if from != 0 {
			free = bits.TrailingZeros64(from)
		}
		for free > 0 && from+1<<free-1 > to {
			free--
		}
		b := [4]byte{byte(from >> 24), byte(from >> 16), byte(from >> 8), byte(from)}
		out = append(out, netip.PrefixFrom(netip.AddrFrom4(b), 32-min(free, 32)))
		from += 1 << free
	}
	return out
}

func number(a netip.Addr) uint64 {
	b := a.As4()
	return uint64(b[0])<<24 | uint64(b[1])<<16 | uint64(b[2])<<8 | uint64(b[3])
}
