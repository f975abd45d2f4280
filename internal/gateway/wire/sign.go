package wire

import (
	"bytes" //nolint:gosec // the protocol's signature is HMAC-SHA1
	"crypto/subtle"
	"encoding/base64"
	"hash"
	"slices"

	"rocketshift/internal/rocketmq/remoting"
)

// The fields that a signed request carries.
const (
	FieldAccessKey = remoting.FieldAccessKey
	FieldSignature = remoting.FieldSignature
)

// Signed reports whether the request names who sends it. Brokers ask everybody else for nothing but
// the address. C++ clients that don't sign write both fields, empty.
func (f *Frame) Signed() bool {
	return len(f.Get(FieldAccessKey)) > 0 || len(f.Get(FieldSignature)) > 0
}

// SignedWith reports whether the signature of the request, as it stands, is the one that a keyed
// HMAC-SHA1 makes. It takes as long whatever the signature is.
func (f *Frame) SignedWith(mac hash.Hash) bool {
	given := f.Get(FieldSignature)
	if bytes.IndexByte(given, '\\') >= 0 {
		given = []byte(f.unescaped(given)) // some write a slash as \/
	}
	mac.Reset()
	begin := len(f.memory)
	f.memory = f.sum(mac, f.memory)
	made := len(f.memory)
	f.memory = base64.StdEncoding.AppendEncode(f.memory, f.memory[begin:])
	return subtle.ConstantTimeCompare(f.memory[made:], given) == 1
}

// Sign signs the request with its changes. The access key must need no escape in JSON.
func (f *Frame) Sign(accessKey, secret string) {
	f.Set(FieldAccessKey, accessKey)
	f.Set(FieldSignature, base64.StdEncoding.EncodeToString(f.sum(remoting.NewMAC(secret), nil)))
}

// null is what brokers sign for an empty value in RocketMQ's own format, which is null to them.
var null = []byte("null")

// sum appends the signature (remoting.Sign says over what it is), without a copy of the fields.
func (f *Frame) sum(mac hash.Hash, to []byte) []byte {
	signed := f.order[:0]
	for i := range f.Fields {
		if remoting.IsSigned(f.Fields[i].Key) {
			signed = append(signed, &f.Fields[i])
		}
	}
	f.order = signed
	slices.SortFunc(signed, func(a, b *Field) int { return bytes.Compare(a.Key, b.Key) })
	for _, field := range signed {
		switch {
		case field.changed:
			mac.Write(field.now)
		case f.Binary && len(field.Value) == 0:
			mac.Write(null)
		case f.Binary || bytes.IndexByte(field.Value, '\\') < 0:
			mac.Write(field.Value)
		default:
			begin := len(f.memory)
			f.memory = remoting.AppendUnescaped(f.memory, field.Value)
			mac.Write(f.memory[begin:])
		}
	}
	mac.Write(f.Body)
	return mac.Sum(to)
}
