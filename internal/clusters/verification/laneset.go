package verification

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
)

// laneSet is a set of lanes by name that travels in heartbeats: as names while it is small, for
// people; else as 8 bytes of a hash each, as 20,000 lanes of retry topics have to stay under 256
// kB. That two of those hashes are the same has a chance of one in 10^11.
type laneSet map[uint64]string

// mostNamed is how many lanes a heartbeat names.
const mostNamed = 500

func laneHash(name string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(name))
	return h.Sum64()
}

func (s laneSet) add(name string) { s[laneHash(name)] = name }

func (s laneSet) has(name string) bool {
	_, there := s[laneHash(name)]
	return there
}

// MarshalJSON writes an object of names, or the hashes in base64.
func (s laneSet) MarshalJSON() ([]byte, error) {
	names := map[string]bool{}
	for _, name := range s {
		names[name] = true
	}
	if len(s) <= mostNamed && len(names) == len(s) && !names[""] {
		return json.Marshal(names)
	}
	packed := make([]byte, 0, 8*len(s))
	for _, hash := range slices.Sorted(maps.Keys(s)) {
		packed = binary.BigEndian.AppendUint64(packed, hash)
	}
	return json.Marshal(base64.StdEncoding.EncodeToString(packed))
}

// UnmarshalJSON reads either form.
func (s *laneSet) UnmarshalJSON(b []byte) error {
	*s = laneSet{}
	if b[0] != '"' {
		var names map[string]bool
		err := json.Unmarshal(b, &names)
		for name := range names {
			s.add(name)
		}
		return err
	}
	var text string
	if err := json.Unmarshal(b, &text); err != nil {
		return err
	}
	packed, err := base64.StdEncoding.DecodeString(text)
	if err == nil && len(packed)%8 != 0 {
		err = fmt.Errorf("%d bytes are no hashes of lanes", len(packed))
	}
	if err != nil {
		return err
	}
	for ; len(packed) > 0; packed = packed[8:] {
		(*s)[binary.BigEndian.Uint64(packed)] = ""
	}
	return nil
}
