package gateway

import (

	//nolint:gosec // the protocol's signature is HMAC-SHA1
	"fmt"
	"hash"

	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/rocketmq/remoting"
)

// Brokers judge who a request is from by its signature. What the gateway changes, or sends to the
// target under other keys, it signs anew, and then a broker judges the gateway's signature. So the
// client's own is verified here first, over the request as it came, before anything is done with it
// or learned from it.

// What brokers of 4.x answer where they can't verify a signature: SYSTEM_ERROR with these remarks
// (PlainPermissionManager).
const (
	wrongSignature = "org.apache.rocketmq.acl.common.AclException: Check signature failed for accessKey=%s"
	noSuchAccount  = "org.apache.rocketmq.acl.common.AclException: No acl config for %s"
)

// verifier verifies signatures of one session's requests. It keeps what is the same for all
// requests with one secret.
type verifier struct {
	secret string
	mac    hash.Hash
}

// verifies reports whether the signature of the request, as it came, was made with the secret.
func (v *verifier) verifies(f *wire.Frame, secret string) bool {
	if v.mac == nil || v.secret != secret {
		v.secret, v.mac = secret, remoting.NewMAC(secret)
	}
	return f.SignedWith(v.mac)
}

// verify answers a request whose signature is wrong as a broker would, and reports false. Where the
// gateway hasn't got the secret, it can't tell: such a request passes unchanged to the source,
// whose brokers can, and nowhere else (mayGo).
func (s *session) verify(f *wire.Frame) bool {
	if !s.gateway.keys.Given() || !f.Signed() {
		return true
	}
	accessKey := f.Get(wire.FieldAccessKey)
	pair, known := s.gateway.keys.Of(accessKey)
	if len(accessKey) > 0 && !known {
		return true
	}
	if len(accessKey) > 0 && s.verifier.verifies(f, pair[routing.Source].SecretKey) {
		return true
	}
	s.gateway.figures.refusedSignatures.Add(1)
	if s.gateway.figures.said.signatures.Due() {
		s.gateway.log.Warn("requests with a wrong signature are refused", "client", s.conn.RemoteAddr().String(),
			"accessKey", string(accessKey), "code", f.Code, "refused", s.gateway.figures.refusedSignatures.Load())
	}
	s.refuseAs(f, remoting.SystemError, fmt.Sprintf(wrongSignature, accessKey))
	return false
}

// mayGo reports whether a request may go to a side, changed or not: where no broker could tell any
// more who it is from, it may not. It answers one that may not.
func (s *session) mayGo(f *wire.Frame, to routing.Side, changed bool) bool {
	if s.signable(f, to, changed) {
		return true
	}
	s.refuseAs(f, remoting.SystemError,
		fmt.Sprintf(noSuchAccount, f.Get(wire.FieldAccessKey))+" in the keys of rocketshift's gateway")
	return false
}

// signable reports whether a broker of the side can still tell who a request is from: it keeps its
// client's signature, or the gateway makes one for it. Who doesn't sign on the source is signed for
// on the target as the keys say for such clients.
func (s *session) signable(f *wire.Frame, to routing.Side, changed bool) bool {
	if !s.gateway.keys.Given() || f.Response() || to == routing.Source && !changed {
		return true
	}
	accessKey := f.Get(wire.FieldAccessKey)
	_, known := s.gateway.keys.Of(accessKey)
	return known || to == routing.Source && len(accessKey) == 0
}
