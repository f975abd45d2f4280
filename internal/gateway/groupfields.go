package gateway

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"

	"rocketshift/internal/gateway/wire"
)

// groupFields are the fields of requests that name a consumer group, of all codes of 4.9.7 and
// 5.3.3: among these what copies positions from one group to another (CLONE_GROUP_OFFSET), and what
// reads and acknowledges without a pull (POP_MESSAGE and its kind), for which ACL 1.0 asks for no
// rights.
var groupFields = []string{
	"consumerGroup", "group", "groupName", "srcGroup", "destGroup", "compareGroup",
}

// bodiesOfGroups are the codes whose bodies name consumer groups, but for heartbeats and locks,
// with what finds a group there.
var bodiesOfGroups = map[int]func(body []byte, group string) (bool, error){
	46:     jsonNames,      // CHECK_CLIENT_CONFIG
	200:    jsonNames,      // UPDATE_AND_CREATE_SUBSCRIPTIONGROUP
	225:    jsonNames,      // UPDATE_AND_CREATE_SUBSCRIPTIONGROUP_LIST, 5.x as all below
	400:    jsonNames,      // QUERY_ASSIGNMENT
	401:    jsonNames,      // SET_MESSAGE_REQUEST_MODE
	200151: jsonNames,      // BATCH_ACK_MESSAGE
	2001:   propertiesName, // UPDATE_COLD_DATA_FLOW_CTR_CONFIG
	2002:   propertiesName, // REMOVE_COLD_DATA_FLOW_CTR_CONFIG: the group alone
}

// jsonNames reports whether a JSON text has a name anywhere: as a text, or as a number or a word
// that brokers take for one. Errors: it is no JSON, though brokers, which read more than that, may
// take it.
func jsonNames(body []byte, name string) (bool, error) {
	in := json.NewDecoder(bytes.NewReader(body))
	in.UseNumber()
	for {
		token, err := in.Token()
		if errors.Is(err, io.EOF) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		is := ""
		switch v := token.(type) {
		case string:
			is = v
		case json.Number:
			is = v.String()
		case bool:
			is = strconv.FormatBool(v)
		}
		if is == name {
			return true, nil
		}
	}
}

// propertiesName reports whether properties have a name anywhere. Errors: they have an escape,
// which may be any character.
func propertiesName(body []byte, name string) (bool, error) {
	if bytes.IndexByte(body, '\\') >= 0 {
		return false, errors.New("properties with escapes")
	}
	return bytes.Contains(body, []byte(name)), nil
}

// namesOurs reports whether a request that isn't looked into otherwise names the lanes' group as a
// consumer group, or may do so: it answers that one.
func (s *session) namesOurs(f *wire.Frame) bool {
	m := s.migration.Load()
	if m == nil {
		return false
	}
	for _, field := range groupFields {
		if string(f.Text(field)) == m.LaneGroup {
			s.refuse(f, noPermission, "the group is the lanes' own")
			return true
		}
	}
	names := bodiesOfGroups[f.Code]
	if names == nil {
		return false
	}
	var ours bool
	var err error
	took, ok := s.readBody(f, func() { ours, err = names(f.Body, m.LaneGroup) })
	if !ok {
		return true
	}
	s.memory.Give(took)
	switch {
	case err != nil:
		s.refuse(f, systemError, "groups in a body that aren't understood: "+err.Error())
	case ours:
		s.refuse(f, noPermission, "the group is the lanes' own")
	}
	return err != nil || ours
}
