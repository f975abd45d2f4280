package lab

import (
	"encoding/json"
	"fmt"

	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
)

// Account may do everything in a cluster that refuses all others: by ACL 1.0 on 4.x, by ACL 2.0 on
// 5.x.
type Account struct {
	AccessKey string `json:"accessKey"` // more than 6 characters
	SecretKey string `json:"secretKey"` // more than 6 characters
}

const minKey = 7 // org.apache.rocketmq.acl.plain.PlainPermissionManager, 4.9.7

// options are those of a client that uses the account, if there is one.
func (a *Account) options() rocketmq.Options {
	if a == nil {
		return rocketmq.Options{}
	}
	return rocketmq.Options{Credentials: &remoting.Credentials{AccessKey: a.AccessKey, SecretKey: a.SecretKey}}
}

// acl1 is plain_acl.yml, which 4.x reads.
func (a *Account) acl1() string {
	return fmt.Sprintf("accounts:\n- accessKey: %q\n  secretKey: %q\n  admin: true\n", a.AccessKey, a.SecretKey)
}

// acl2 is the part of a 5.x broker's configuration that names the first user, and the user as which
// servers call each other.
func (a *Account) acl2() map[string]string {
	const (
		authentication = "org.apache.rocketmq.auth.authentication.provider."
		authorization  = "org.apache.rocketmq.auth.authorization.provider."
	)
	return map[string]string{
		"authenticationEnabled":                "true",
		"authenticationProvider":               authentication + "DefaultAuthenticationProvider",
		"authenticationMetadataProvider":       authentication + "LocalAuthenticationMetadataProvider",
		"initAuthenticationUser":               asJSON("username", a.AccessKey, "password", a.SecretKey),
		"innerClientAuthenticationCredentials": asJSON("accessKey", a.AccessKey, "secretKey", a.SecretKey),
		"authorizationEnabled":                 "true",
		"authorizationProvider":                authorization + "DefaultAuthorizationProvider",
		"authorizationMetadataProvider":        authorization + "LocalAuthorizationMetadataProvider",
	}
}

// acl2Proxy is the part of a proxy's configuration that has it ask the brokers for permissions, as
// the admin.
func (a *Account) acl2Proxy() map[string]any {
	const (
		authentication = "org.apache.rocketmq.auth.authentication.provider."
		authorization  = "org.apache.rocketmq.auth.authorization.provider."
		proxy          = "org.apache.rocketmq.proxy.auth."
	)
	return map[string]any{
		"enableAclRpcHookForClusterMode":       true, // without it the proxy doesn't sign at all
		"innerClientAuthenticationCredentials": a.acl2()["innerClientAuthenticationCredentials"],
		"authenticationEnabled":                true,
		"authenticationProvider":               authentication + "DefaultAuthenticationProvider",
		"authenticationMetadataProvider":       proxy + "ProxyAuthenticationMetadataProvider",
		"authorizationEnabled":                 true,
		"authorizationProvider":                authorization + "DefaultAuthorizationProvider",
		"authorizationMetadataProvider":        proxy + "ProxyAuthorizationMetadataProvider",
	}
}

func asJSON(key, value, key2, value2 string) string {
	raw, _ := json.Marshal(map[string]string{key: value, key2: value2}) // strings always marshal
	return string(raw)
}
