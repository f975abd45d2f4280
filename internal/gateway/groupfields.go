package gateway

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
	"unicode"

	"rocketshift/internal/gateway/replicas"
	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/rocketmq/remoting"
)

// groupFields are the fields of requests that name a group, of all codes of 4.9.7 and 5.3.3: among
// these what copies positions from one group to another (CLONE_GROUP_OFFSET), and what reads and
// acknowledges without a pull (POP_MESSAGE and its kind), for which ACL 1.0 asks for no rights.
// Brokers keep producers' groups apart from consumers'; ours is no client's there either.
var groupFields = []string{
	"consumerGroup", "group", "groupName", "srcGroup", "destGroup", "compareGroup", "producerGroup",
}

// groupLists are those that name groups among other things: with commas between them, rights
// (UPDATE_AND_CREATE_ACL_CONFIG: group=PUB), topics (VIEW_BROKER_STATS_DATA: topic@group) or kinds
// (AUTH_DELETE_ACL: Group:name). Brokers of both versions forget all positions of groups that
// filterGroups names (QUERY_CORRECTION_OFFSET, ConsumerOffsetManager.queryMinOffsetInAllGroup).
var groupLists = []string{"filterGroups", "groupPerms", "statsKey", "resource"}

// laneGroup is why a request is refused that names such a group.
const laneGroup = "the group is the lanes' own"

// producerField is the field of a send's producer group where fields have letters; "" otherwise.
func producerField(code int) string {
	switch code {
	case remoting.CodeSendV2, remoting.CodeSendBatch, remoting.CodeReplyV2:
		return "a"
	case remoting.CodeSend:
		return "producerGroup"
	}
	return ""
}

// bodiesOfGroups are the codes whose bodies name groups, but for heartbeats and locks, with what
// finds one there.
var bodiesOfGroups = map[int]func(body []byte, m *replicas.Migration) (bool, error){
	46:     jsonNames(is),    // CHECK_CLIENT_CONFIG
	200:    jsonNames(is),    // UPDATE_AND_CREATE_SUBSCRIPTIONGROUP
	225:    jsonNames(is),    // UPDATE_AND_CREATE_SUBSCRIPTIONGROUP_LIST, 5.x as all below
	400:    jsonNames(is),    // QUERY_ASSIGNMENT
	401:    jsonNames(is),    // SET_MESSAGE_REQUEST_MODE
	3006:   jsonNames(lists), // AUTH_CREATE_ACL
	3007:   jsonNames(lists), // AUTH_UPDATE_ACL
	200151: jsonNames(is),    // BATCH_ACK_MESSAGE
	2001:   propertiesName,   // UPDATE_COLD_DATA_FLOW_CTR_CONFIG
	2002:   propertiesName,   // REMOVE_COLD_DATA_FLOW_CTR_CONFIG: the group alone
}

func is(text string, m *replicas.Migration) bool { return m.Owns(text) }

// lists reports whether a text names one of the migration's own groups among other things.
func lists(text string, m *replicas.Migration) bool {
	for part := range strings.FieldsFuncSeq(text, noNamePart) { // there may be very many
		if m.Owns(part) {
			return true
		}
	}
	return false
}

// noNamePart reports whether no group's name has a character (Validators.PATTERN, 4.9.7).
func noNamePart(c rune) bool {
	return !unicode.IsLetter(c) && !unicode.IsDigit(c) && !strings.ContainsRune("%|_-", c)
}

// jsonNames reports whether a JSON text names one of the migration's groups anywhere: as a text, or
// as a number or a word that brokers take for one. Errors: it is no JSON, though brokers, which
// read more than that, may take it.
func jsonNames(names func(string, *replicas.Migration) bool) func(body []byte, m *replicas.Migration) (bool, error) {
	return func(body []byte, m *replicas.Migration) (bool, error) {
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
			if names(textOfToken(token), m) {
				return true, nil
			}
		}
	}
}

func textOfToken(token json.Token) string {
	switch v := token.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	}
	return ""
}

// propertiesName reports whether properties name one of the migration's groups anywhere. Errors:
// they have an escape, which may be any character.
func propertiesName(body []byte, m *replicas.Migration) (bool, error) {
	if bytes.IndexByte(body, '\\') >= 0 {
		return false, errors.New("properties with escapes")
	}
	return lists(string(body), m), nil
}

// inFields reports whether a field of a request names one of the migration's own groups.
func inFields(m *replicas.Migration, f *wire.Frame) bool {
	for _, field := range groupFields {
		if m.Owns(string(f.Text(field))) {
			return true
		}
	}
	for _, field := range groupLists {
		if lists(string(f.Text(field)), m) {
			return true
		}
	}
	field := producerField(f.Code)
	return field != "" && m.Owns(string(f.Text(field)))
}

// namesOurs reports whether a request that isn't looked into otherwise names the lanes' group, or
// one that is named after it, or may do so: it answers that one.
func (s *session) namesOurs(f *wire.Frame) bool {
	m := s.gateway.sides.Migration.Load()
	if m == nil {
		return false
	}
	if inFields(m, f) {
		s.refuse(f, remoting.NoPermission, laneGroup)
		return true
	}
	names := bodiesOfGroups[f.Code]
	if names == nil {
		return false
	}
	var ours bool
	var err error
	took, ok := s.readBody(f, func() { ours, err = names(f.Body, m) })
	if !ok {
		return true
	}
	s.memory.Give(took)
	switch {
	case err != nil:
		s.refuse(f, remoting.SystemError, "groups in a body that aren't understood: "+err.Error())
	case ours:
		s.refuse(f, remoting.NoPermission, laneGroup)
	}
	return err != nil || ours
}
