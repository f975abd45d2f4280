package remoting

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // the protocol's signature is HMAC-SHA1
	"encoding/base64"
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

// Sign adds AccessKey and Signature to the request's fields (AclClientRPCHook and
// AclUtils.combineRequestContent): the values of all fields but the signature, in the order of
// their keys, then the body, HMAC-SHA1, base64.
func Sign(c *Command, k Credentials) {
	c.Fields["AccessKey"] = k.AccessKey
	if k.SecurityToken != "" {
		c.Fields["SecurityToken"] = k.SecurityToken
	}
	names := make([]string, 0, len(c.Fields))
	for name := range c.Fields {
		if name != "Signature" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	mac := hmac.New(sha1.New, []byte(k.SecretKey))
	for _, name := range names {
		mac.Write([]byte(c.Fields[name]))
	}
	mac.Write(c.Body)
	c.Fields["Signature"] = base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
