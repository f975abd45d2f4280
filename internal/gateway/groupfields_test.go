package gateway

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/replicas"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/rocketmq/remoting"
)

// requestsOfGroups are all requests of 4.9.7 and 5.3.3 that name a group, with the field that does
// so (all fields of the headers of both), or with a body in which LANES stands for the group.
var requestsOfGroups = map[int][]string{
	remoting.CodePull: {
		"consumerGroup",
	}, remoting.CodeLitePull: {"consumerGroup"}, remoting.CodeQueryOffset: {"consumerGroup"},
	remoting.CodeUpdateOffset: {"consumerGroup"}, remoting.CodeSendBack: {"group"},
	remoting.CodeUnregister:     {"consumerGroup", "producerGroup"},
	remoting.CodeEndTransaction: {"producerGroup"},
	remoting.CodeSend:           {"producerGroup"}, remoting.CodeSendV2: {"a"}, remoting.CodeSendBatch: {"a"},
	50: {
		"groupPerms",
	}, // UPDATE_AND_CREATE_ACL_CONFIG, 4.x
	204:                  {"producerGroup"},                                           // GET_PRODUCER_CONNECTION_LIST
	315:                  {"statsKey"},                                                // VIEW_BROKER_STATS_DATA
	324:                  {"producerGroup"},                                           // SEND_REPLY_MESSAGE
	325:                  {"a"},                                                       // SEND_REPLY_MESSAGE_V2
	370:                  {"producerGroup"},                                           // RECALL_MESSAGE
	3006:                 {`{"policies":[{"entries":[{"resource":"Group:LANES"}]}]}`}, // AUTH_CREATE_ACL
	3007:                 {`{"policies":[{"entries":[{"resource":"Group:LANES"}]}]}`}, // AUTH_UPDATE_ACL
	3008:                 {"resource"},                                                // AUTH_DELETE_ACL
	remoting.CodeMembers: {"consumerGroup"},
	remoting.CodeHeartbeat: {
		`{"clientID":"one","consumerDataSet":[{"groupName":"LANES"}]}`,
		`{"clientID":"one","producerDataSet":[{"groupName":"LANES"}]}`,
	},
	remoting.CodeLock:   {`{"consumerGroup":"LANES","clientId":"one","mqSet":[]}`},
	remoting.CodeUnlock: {`{"consumerGroup":"LANES","clientId":"one","mqSet":[]}`},
	46:                  {`{"clientId":"one","group":"LANES","subscriptionData":{"topic":"orders"}}`},
	200:                 {`{"groupName":"LANES","consumeEnable":false}`},
	203:                 {"consumerGroup"}, // GET_CONSUMER_CONNECTION_LIST
	207:                 {"groupName"},     // DELETE_SUBSCRIPTIONGROUP
	208:                 {"consumerGroup"}, // GET_CONSUME_STATS
	222:                 {"group"},         // INVOKE_BROKER_TO_RESET_OFFSET
	223:                 {"group"},         // INVOKE_BROKER_TO_GET_CONSUMER_STATUS
	225:                 {`{"groupConfigList":[{"groupName":"other"},{"groupName":"LANES"}]}`},
	303:                 {"group"}, // QUERY_CONSUME_TIME_SPAN
	307:                 {"consumerGroup"},
	308:                 {"compareGroup", "filterGroups"}, // QUERY_CORRECTION_OFFSET
	309:                 {"consumerGroup"},
	314:                 {"srcGroup", "destGroup"}, // CLONE_GROUP_OFFSET
	321:                 {"consumerGroup"},         // QUERY_CONSUME_QUEUE
	343:                 {"group"},                 // QUERY_TOPICS_BY_CONSUMER
	345:                 {"group"},                 // QUERY_SUBSCRIPTION_BY_CONSUMER
	352:                 {"group"},                 // GET_SUBSCRIPTIONGROUP_CONFIG
	353:                 {"group"},                 // UPDATE_AND_GET_GROUP_FORBIDDEN
	400:                 {`{"consumerGroup":"LANES","topic":"orders"}`},
	401:                 {`{"consumerGroup":"LANES","topic":"orders","mode":"POP"}`},
	2001:                {"other=1\nLANES=2\n"}, // UPDATE_COLD_DATA_FLOW_CTR_CONFIG
	2002:                {"LANES"},
	200050:              {"consumerGroup"}, // POP_MESSAGE
	200051:              {"consumerGroup"}, // ACK_MESSAGE
	200052:              {"consumerGroup"}, // PEEK_MESSAGE
	200053:              {"consumerGroup"}, // CHANGE_MESSAGE_INVISIBLETIME
	200054:              {"consumerGroup"}, // NOTIFICATION
	200055:              {"consumerGroup"}, // POLLING_INFO
	200151:              {`{"brokerName":"broker-a","acks":[{"c":"other"},{"c":"LANES"}]}`},
}

// By the positions and locks of the lanes' group, lanes and gateways know what was copied, who
// holds a lease, and what was decided: no request names it. What names another group is its
// broker's to judge.
func TestNoRequestNamesTheLanesGroup(t *testing.T) {
	g := newGuarded(t, "applications: []")
	g.gateway.clients.keys.File = ""
	g.queue(routing.Source)
	m := &replicas.Migration{Migration: control.Migration{LaneGroup: "lanes"}}
	g.gateway.sides.Migration.Store(m)
	all := func(group string, sends func(code int, what string, fields []string, body string)) {
		for code, places := range requestsOfGroups {
			g.source.answer(code, wire.Reply{})
			for _, place := range places {
				fields, body := []string{}, ""
				switch {
				case strings.Contains(place, "LANES"):
					body = strings.ReplaceAll(place, "LANES", group)
				case requests()[code].fields != nil:
					for i, one := range requests()[code].fields {
						if i%2 == 0 && one != place {
							fields = append(fields, one, requests()[code].fields[i+1])
						}
					}
					fallthrough
				default:
					fields = append(fields, place, group)
				}
				sends(code, place, fields, body)
			}
		}
	}
	refused := func(code int, what string, fields []string, body string) {
		for _, flag := range []int32{wire.FlagOneWay, 0} {
			g.request(code, flag, unsignedBy, fields, body)
		}
		is, remark := g.answer()
		assert.Equal(t, remoting.NoPermission, is, "code %d, %s %q: %s", code, what, fields, remark)
		g.nothing("a request that names the lanes' group")
	}
	passes := func(code int, what string, fields []string, body string) {
		g.request(code, 0, unsignedBy, fields, body)
		is, remark := g.answer()
		assert.Equal(t, remoting.Success, is, "code %d, %s, as its broker answers: %s", code, what, remark)
	}
	for _, group := range []string{"lanes", "lanes-back", "lanes-left", "lanes-fenced"} {
		all(group, refused)
	}
	for _, list := range []string{"other,lanes", "lanes,other", ",lanes,", " lanes ", "a;lanes-back"} {
		refused(308, "a list", []string{"filterGroups", list, "compareGroup", "other"}, "")
	}
	refused(50, "rights", []string{"groupPerms", "other=PUB,lanes=SUB"}, "")
	refused(315, "a counter", []string{"statsKey", "orders@lanes"}, "")
	refused(3008, "a resource", []string{"resource", "Group:lanes"}, "")
	for _, group := range []string{"other", "lanes2", "my-lanes"} {
		all(group, passes)
	}
	passes(308, "a list", []string{"filterGroups", "other,lanes2,my-lanes", "compareGroup", ""}, "")
}

// Bodies that brokers may read otherwise don't reach them.
func TestBodiesThatMayNameTheLanesGroupAreRefused(t *testing.T) {
	g := newGuarded(t, "applications: []")
	g.gateway.clients.keys.File = ""
	g.queue(routing.Source)
	g.gateway.sides.Migration.Store(&replicas.Migration{Migration: control.Migration{LaneGroup: "17"}})
	for _, c := range []struct {
		code  int
		body  string
		wants int
	}{
		{200, `{'groupName':'17'}`, remoting.SystemError},
		{200, `{groupName:"17"}`, remoting.SystemError},
		{200, `{"groupName":17}`, remoting.NoPermission},
		{200, `{"groupName":"a","groupName":"\u0031\u0037"}`, remoting.NoPermission},
		{2001, `\u0031\u0037=1`, remoting.SystemError},
	} {
		g.request(c.code, 0, unsignedBy, nil, c.body)
		is, remark := g.answer()
		require.Equal(t, c.wants, is, "%s: %s", c.body, remark)
		g.nothing(c.body)
	}
}
