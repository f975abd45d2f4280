package apsara

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"
)

// answer is what a call is told.
type answer struct {
	status  int
	code    string
	message string
	data    any
	rpc     map[string]any // an answer in the form of RPC: its fields
	denied  map[string]any
}

func ok(data any) answer { return answer{status: http.StatusOK, data: data} }

func rpc(fields map[string]any) answer { return answer{status: http.StatusOK, rpc: fields} }

func fail(status int, code, message string) answer {
	return answer{status: status, code: code, message: message}
}

func missing(field string) answer {
	return fail(http.StatusBadRequest, "Missing"+strings.ToUpper(field[:1])+field[1:],
		field+" is mandatory for this action.")
}

func invalid(field, value string) answer {
	return fail(http.StatusBadRequest, "Invalid"+strings.ToUpper(field[:1])+field[1:],
		"The specified parameter "+field+" is invalid: "+value)
}

// denied is what a key without a right is told.
func (c *Cloud) denied(right string) answer {
	a := fail(http.StatusForbidden, "NoPermission", "You are not authorized to do this action.")
	a.denied = map[string]any{
		"AuthAction": right, "AuthPrincipalType": "SubUser", "AuthPrincipalDisplayName": "217000000000000001",
		"AuthPrincipalOwnerId": "100000000000000001", "NoPermissionType": "ImplicitDeny",
		"PolicyType": "AccountLevelIdentityBasedPolicy",
	}
	return a
}

func requestID() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // it never fails
	id := strings.ToUpper(hex.EncodeToString(b))
	return id[:8] + "-" + id[8:12] + "-" + id[12:16] + "-" + id[16:20] + "-" + id[20:]
}

// write sends the answer in its API's envelope, and returns its status.
func (a answer) write(w http.ResponseWriter, q *request) int {
	w.Header().Set("Content-Type", "application/json;charset=utf-8")
	id := requestID()
	w.Header().Set("x-acs-request-id", id)
	w.WriteHeader(a.status)
	_ = json.NewEncoder(w).Encode(a.envelope(q, id)) // the caller may be gone
	return a.status
}

func (a answer) envelope(q *request, id string) map[string]any {
	rpcForm := q != nil && q.isRPC()
	switch {
	case a.rpc != nil:
		fields := map[string]any{"RequestId": id}
		for key, value := range a.rpc {
			fields[key] = value
		}
		return fields
	case rpcForm:
		fields := map[string]any{"RequestId": id, "HostId": "lab", "Code": a.code, "Message": a.message}
		if a.denied != nil {
			fields["AccessDeniedDetail"] = a.denied
		}
		return fields
	}
	fields := map[string]any{
		"requestId": id, "success": a.code == "", "httpStatusCode": a.status, "code": "200", "message": "success",
		"data": a.data,
	}
	if a.code != "" {
		fields["code"], fields["message"] = a.code, a.message
		delete(fields, "data")
	}
	if a.denied != nil {
		fields["accessDeniedDetail"] = a.denied
	}
	return fields
}
