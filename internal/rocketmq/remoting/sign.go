package remoting

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // the protocol's signature is HMAC-SHA1
	"encoding/base64"
	"hash"
	"slices"
)

// Credentials are an access key (ACL 1.0) or a user (ACL 2.0) and its secret. They are never logged
// or put into errors.
type Credentials struct{ AccessKey, SecretKey, SecurityToken string }

// String hides the secrets wherever a value is printed.
func (c Credentials) String() string { return "credentials of " + c.AccessKey }

// GoString hides the secrets from %#v too.
func (c Credentials) GoString() string { return c.String() }

// CredentialsOf are those that the environment names: <env>_ACCESS_KEY, <env>_SECRET_KEY and, where
// it is set, <env>_SECURITY_TOKEN. They are whole if neither of the first two is missing.
func CredentialsOf(env string, getenv func(string) string) (c *Credentials, whole bool) {
	c = &Credentials{
		AccessKey:     getenv(env + "_ACCESS_KEY"),
		SecretKey:     getenv(env + "_SECRET_KEY"),
		SecurityToken: getenv(env + "_SECURITY_TOKEN"),
	}
	return c, c.AccessKey != "" && c.SecretKey != ""
}

// The fields that a signed request carries (org.apache.rocketmq.acl.common.SessionCredentials).
const (
	FieldAccessKey     = "AccessKey"
	FieldSignature     = "Signature"
	fieldSecurityToken = "SecurityToken"

	// fieldUniqueKey is in no signature: clients add it after they have signed
	// (MixAll.UNIQUE_MSG_QUERY_FLAG).
	fieldUniqueKey = "_UNIQUE_KEY_QUERY"
)

// A signature is the HMAC-SHA1 over the values of all fields that IsSigned names, in the order of
// their keys, and the body, in base64 (AclClientRPCHook and AclUtils.combineRequestContent, 4.9.7;
// ACL 2.0 of 5.x reads the same). Clients sign commands here, by Sign; the gateway signs and checks
// frames, whose fields it doesn't copy (internal/gateway/wire), by the same parts.

// NewMAC is the hash of signatures with that secret.
func NewMAC(secret string) hash.Hash { return hmac.New(sha1.New, []byte(secret)) }

// IsSigned reports whether a signature is over the field of that name.
func IsSigned[T string | []byte](name T) bool {
	return string(name) != FieldSignature && string(name) != fieldUniqueKey
}

// Sign adds access key and signature to the request's fields.
func Sign(c *Command, k Credentials) {
	c.Fields[FieldAccessKey] = k.AccessKey
	if k.SecurityToken != "" {
		c.Fields[fieldSecurityToken] = k.SecurityToken
	}
	names := make([]string, 0, len(c.Fields))
	for name := range c.Fields {
		if IsSigned(name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	mac := NewMAC(k.SecretKey)
	for _, name := range names {
		mac.Write([]byte(c.Fields[name]))
	}
	mac.Write(c.Body)
	c.Fields[FieldSignature] = base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
