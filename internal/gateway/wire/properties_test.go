package wire

import (
	"bytes"
	"encoding/binary"
	"math"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/rocketmq/remoting"
)

// storedWith is a message as brokers store it.
func storedWith(flag int, v2 bool, body, properties string) []byte {
	b := message(5, 1000, 77, flag, storeAddress(flag))
	b = b[:len(b)-40]
	b = append(b, make([]byte, 4+8)...)
	b = append(binary.BigEndian.AppendUint32(b, uint32(len(body))), body...)
	binary.BigEndian.PutUint32(b[messageMagic:], 0xDAA320A7)
	if v2 {
		binary.BigEndian.PutUint32(b[messageMagic:], remoting.MagicV2)
		b = append(b, 0)
	}
	b = append(append(b, byte(len("orders"))), "orders"...)
	b = append(binary.BigEndian.AppendUint16(b, uint16(len(properties))), properties...)
	binary.BigEndian.PutUint32(b, uint32(len(b)))
	return b
}

func storeAddress(flag int) netip.AddrPort {
	if flag&remoting.FlagStoreHostV6 != 0 {
		return netip.MustParseAddrPort("[fd00::1]:10911")
	}
	return netip.MustParseAddrPort("10.0.0.1:10911")
}

// cluster says another name for cluster New.
func cluster(here string) Named {
	return Named{Names: [][]byte{[]byte("CLUSTER")}, Value: func(name, value []byte) []byte {
		if string(name) == "CLUSTER" && string(value) == "New" {
			return []byte(here)
		}
		return value
	}}
}

// Each message of an answer says the cluster that clients know, whatever is longer, and nothing
// else of it changes.
func TestMessagesSayAnotherName(t *testing.T) {
	properties := []string{
		"KEYS\x01a\x02CLUSTER\x01New\x02", "CLUSTER\x01New", "CLUSTER\x01Other\x02", "",
		"CLUSTER\x01Old\x02x\x01CLUSTER\x02CLUSTER\x01New\x02", "NO_CLUSTER\x01New\x02", "CLUSTER",
	}
	for _, here := range []string{"Old", "Oldest", "O", ""} {
		var all, want []byte
		for i, text := range properties {
			flag, v2 := []int{0, remoting.FlagBornHostV6, remoting.FlagStoreHostV6, remoting.FlagBornHostV6 | remoting.FlagStoreHostV6}[i%4], i%3 == 1
			all = append(all, storedWith(flag, v2, "CLUSTER\x01New\x02", text)...)
			text = strings.ReplaceAll("\x02"+text, "\x02CLUSTER\x01New", "\x02CLUSTER\x01"+here)[1:]
			want = append(want, storedWith(flag, v2, "CLUSTER\x01New\x02", text)...)
		}
		got := cluster(here).Rename(bytes.Clone(all))
		assert.Equal(t, want, got, "%q", here)
		messages, err := remoting.AppendMessages(nil, got)
		require.NoError(t, err)
		require.Len(t, messages, len(properties))
	}
}

// What isn't whole, and what would be longer than brokers store it, stays as it is.
func TestMessagesThatCannotSayAnotherNameStay(t *testing.T) {
	full := storedWith(0, false, "", "CLUSTER\x01New\x02k\x01"+strings.Repeat("v", math.MaxInt16-15))
	assert.Equal(t, full, cluster("Older").Rename(bytes.Clone(full)))
	whole := storedWith(0, false, "body", "CLUSTER\x01New\x02")
	for cut := range whole {
		assert.Equal(t, whole[:cut], cluster("Older").Rename(bytes.Clone(whole[:cut])), "%d bytes", cut)
	}
	assert.Equal(t, []byte{}, Named{}.Rename([]byte{}))
}

func FuzzProperties(f *testing.F) {
	f.Add(storedWith(0, false, "body", "CLUSTER\x01New\x02"), "Older")
	f.Fuzz(func(_ *testing.T, body []byte, here string) {
		_ = cluster(here).Rename(body)
	})
}
