// Package remotingtest writes, for tests and fakes of brokers, what only brokers write.
package remotingtest

import (
	"encoding/binary"
	"hash/crc32"
	"net/netip"

	"rocketshift/internal/rocketmq/remoting"
)

// Stored is a message as a broker stores it.
func Stored(m remoting.Message) []byte {
	b := make([]byte, 4, 128+len(m.Body)+len(m.Properties))
	magic := uint32(remoting.MagicV1)
	if len(m.Topic) > 127 {
		magic = remoting.MagicV2
	}
	put := binary.BigEndian
	b = put.AppendUint32(b, magic)
	b = put.AppendUint32(b, crc32.ChecksumIEEE(m.Body)&0x7FFFFFFF)
	b = put.AppendUint32(b, uint32(m.Queue))
	b = put.AppendUint32(b, uint32(m.Flag))
	b = put.AppendUint64(b, uint64(m.QueueOffset))
	b = put.AppendUint64(b, uint64(m.PhysicalOffset))
	flag := m.SysFlag &^ (remoting.FlagBornHostV6 | remoting.FlagStoreHostV6)
	if m.BornHost.Addr().Is6() {
		flag |= remoting.FlagBornHostV6
	}
	if m.StoreHost.Addr().Is6() {
		flag |= remoting.FlagStoreHostV6
	}
	b = put.AppendUint32(b, uint32(flag))
	b = put.AppendUint64(b, uint64(m.BornTimestamp))
	b = appendHost(b, m.BornHost)
	b = put.AppendUint64(b, uint64(m.StoreTimestamp))
	b = appendHost(b, m.StoreHost)
	b = put.AppendUint32(b, uint32(m.ReconsumeTimes))
	b = put.AppendUint64(b, uint64(m.PreparedOffset))
	b = append(put.AppendUint32(b, uint32(len(m.Body))), m.Body...)
	if magic == remoting.MagicV2 {
		b = put.AppendUint16(b, uint16(len(m.Topic)))
	} else {
		b = append(b, byte(len(m.Topic)))
	}
	b = append(b, m.Topic...)
	b = append(put.AppendUint16(b, uint16(len(m.Properties))), m.Properties...)
	put.PutUint32(b, uint32(len(b)))
	return b
}

func appendHost(b []byte, a netip.AddrPort) []byte {
	addr := a.Addr()
	if !addr.IsValid() {
		addr = netip.AddrFrom4([4]byte{})
	}
	b = append(b, addr.AsSlice()...)
	return binary.BigEndian.AppendUint32(b, uint32(a.Port()))
}
