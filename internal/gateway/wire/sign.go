package wire

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // the protocol's signature is HMAC-SHA1
	"encoding/base64"
	"slices"
)

// The fields that a signed request carries (org.apache.rocketmq.acl.common.SessionCredentials).
const (
	FieldAccessKey = "AccessKey"
	fieldSignature = "Signature"
)

// Sign signs the request with its changes: the values of all fields but the signature, in the order of their keys, and the body (AclUtils,
// 4.9.7; ACL 2.0 of 5.x reads the same). The access key must need no escape in JSON.
func (f *Frame) Sign(accessKey, secret string) {
	f.Set(FieldAccessKey, accessKey)
	signed := make([]*Field, 0, len(f.Fields))
	for i := range f.Fields {
		if string(f.Fields[i].Key) != fieldSignature {
			signed = append(signed, &f.Fields[i])
		}
	}
	slices.SortFunc(signed, func(a, b *Field) int { return bytes.Compare(a.Key, b.Key) })
	mac := hmac.New(sha1.New, []byte(secret))
	for _, field := range signed {
		switch {
		case field.changed:
			mac.Write(field.now)
		case f.Binary || bytes.IndexByte(field.Value, '\\') < 0:
			mac.Write(field.Value)
		default:
			mac.Write([]byte(f.unescaped(field.Value)))
		}
	}
	mac.Write(f.Body)
	f.Set(fieldSignature, base64.StdEncoding.EncodeToString(mac.Sum(nil)))
}
