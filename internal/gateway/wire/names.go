package wire

import (
	"bytes"
	"cmp"
	"unicode/utf16"
	"unicode/utf8"
)

// Names are members that are looked for: by their hashes, as fastjson has them.
type Names map[uint64]string

// NamesOf are the names of members.
func NamesOf(all ...string) Names {
	is := Names{}
	for _, name := range all {
		lower, loose := hashesOf(name)
		is[lower], is[loose] = name, name
	}
	return is
}

// Means is the name that fastjson 1.2.69 or 1.2.83 may take a member's name for
// (JavaBeanDeserializer.smartMatch).
func (n Names) Means(name string) (meant string, any bool) {
	_, meant = n.Read([]byte(name))
	return meant, meant != ""
}

// Read is what fastjson may take a member's name for: the name that is looked for, "" for none of
// these, and the hash by which it tells the member from others of its object.
func (n Names) Read(name []byte) (hash uint64, meant string) {
	lower, loose := hashesOf(name)
	meant = n.means(lower, loose)
	short, is := bytes.CutPrefix(name, []byte("is"))
	if !is {
		return loose, meant
	}
	lower, loose = hashesOf(short)
	return loose, cmp.Or(meant, n.means(lower, loose))
}

func (n Names) means(lower, loose uint64) string {
	if meant := n[lower]; meant != "" {
		return meant
	}
	return n[loose]
}

// FNV-1a of 64 bits, in which fastjson hashes names (TypeUtils).
const (
	hashBasis = 0xcbf29ce484222325
	hashPrime = 0x100000001b3
)

// hashesOf are TypeUtils.fnv1a_64_lower, and fnv1a_64_extract, which was fnv1a_64_lower in older
// versions. They make no copy: a body may hold hundreds of thousands of names.
func hashesOf[T string | []byte](name T) (lower, loose uint64) {
	lower, loose = hashBasis, hashBasis
	add := func(c uint64) {
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		lower = (lower ^ c) * hashPrime
		if c != '_' && c != '-' {
			loose = (loose ^ c) * hashPrime
		}
	}
	for i := 0; i < len(name); {
		if c := name[i]; c < utf8.RuneSelf {
			add(uint64(c))
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(string(name[i:min(i+utf8.UTFMax, len(name))]))
		i += size
		if first, second := utf16.EncodeRune(r); first != utf8.RuneError {
			add(uint64(first))
			r = second
		}
		add(uint64(r))
	}
	return lower, loose
}
