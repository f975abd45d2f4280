package wire

import (
	"strings"
	"unicode/utf16"
)

// Names are members that are looked for: by their hashes, as fastjson has them.
type Names map[uint64]string

// NamesOf are the names of members.
func NamesOf(all ...string) Names {
	is := Names{}
	for _, name := range all {
		is[lowerHash(name)], is[LooseHash(name)] = name, name
	}
	return is
}

// Means is the name that fastjson 1.2.69 or 1.2.83 may take a member's name for
// (JavaBeanDeserializer.smartMatch).
func (n Names) Means(name string) (meant string, any bool) {
	for _, one := range [...]string{name, strings.TrimPrefix(name, "is")} {
		for _, hash := range [...]uint64{lowerHash(one), LooseHash(one)} {
			if meant, any = n[hash]; any {
				return meant, true
			}
		}
	}
	return "", false
}

// FNV-1a of 64 bits, in which fastjson hashes names (TypeUtils).
const (
	hashBasis = 0xcbf29ce484222325
	hashPrime = 0x100000001b3
)

// lowerHash is TypeUtils.fnv1a_64_lower.
func lowerHash(name string) uint64 {
	hash := uint64(hashBasis)
	for _, c := range utf16.Encode([]rune(name)) {
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		hash = (hash ^ uint64(c)) * hashPrime
	}
	return hash
}

// LooseHash is TypeUtils.fnv1a_64_extract, and fnv1a_64_lower of older versions.
func LooseHash(name string) uint64 {
	return lowerHash(strings.NewReplacer("_", "", "-", "").Replace(name))
}
