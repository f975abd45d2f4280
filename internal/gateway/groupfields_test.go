package gateway

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/wire"
)

// requestsOfGroups are all requests of 4.9.7 and 5.3.3 that name a consumer group, with the field
// that does so (@RocketMQResource of 5.3.3, the headers' fields of 4.9.7), or with a body in which
// LANES stands for the group.
var requestsOfGroups = map[int][]string{
	codePull: {"consumerGroup"}, codeLitePull: {"consumerGroup"}, codeQueryOffset: {"consumerGroup"},
	codeUpdateOffset: {"consumerGroup"}, codeUnregister: {"consumerGroup"}, codeSendBack: {"group"},
	codeMembers:   {"consumerGroup"},
	codeHeartbeat: {`{"clientID":"one","consumerDataSet":[{"groupName":"LANES"}]}`},
	codeLock:      {`{"consumerGroup":"LANES","clientId":"one","mqSet":[]}`},
	codeUnlock:    {`{"consumerGroup":"LANES","clientId":"one","mqSet":[]}`},
	46:            {`{"clientId":"one","group":"LANES","subscriptionData":{"topic":"orders"}}`},
	200:           {`{"groupName":"LANES","consumeEnable":false}`},
	203:           {"consumerGroup"}, // GET_CONSUMER_CONNECTION_LIST
	207:           {"groupName"},     // DELETE_SUBSCRIPTIONGROUP
	208:           {"consumerGroup"}, // GET_CONSUME_STATS
	222:           {"group"},         // INVOKE_BROKER_TO_RESET_OFFSET
	223:           {"group"},         // INVOKE_BROKER_TO_GET_CONSUMER_STATUS
	225:           {`{"groupConfigList":[{"groupName":"other"},{"groupName":"LANES"}]}`},
	303:           {"group"}, // QUERY_CONSUME_TIME_SPAN
	307:           {"consumerGroup"},
	308:           {"compareGroup"}, // QUERY_CORRECTION_OFFSET
	309:           {"consumerGroup"},
	314:           {"srcGroup", "destGroup"}, // CLONE_GROUP_OFFSET
	321:           {"consumerGroup"},         // QUERY_CONSUME_QUEUE
	343:           {"group"},                 // QUERY_TOPICS_BY_CONSUMER
	345:           {"group"},                 // QUERY_SUBSCRIPTION_BY_CONSUMER
	352:           {"group"},                 // GET_SUBSCRIPTIONGROUP_CONFIG
	353:           {"group"},                 // UPDATE_AND_GET_GROUP_FORBIDDEN
	400:           {`{"consumerGroup":"LANES","topic":"orders"}`},
	401:           {`{"consumerGroup":"LANES","topic":"orders","mode":"POP"}`},
	2001:          {"other=1\nLANES=2\n"}, // UPDATE_COLD_DATA_FLOW_CTR_CONFIG
	2002:          {"LANES"},
	200050:        {"consumerGroup"}, // POP_MESSAGE
	200051:        {"consumerGroup"}, // ACK_MESSAGE
	200052:        {"consumerGroup"}, // PEEK_MESSAGE
	200053:        {"consumerGroup"}, // CHANGE_MESSAGE_INVISIBLETIME
	200054:        {"consumerGroup"}, // NOTIFICATION
	200055:        {"consumerGroup"}, // POLLING_INFO
	200151:        {`{"brokerName":"broker-a","acks":[{"c":"other"},{"c":"LANES"}]}`},
}

// By the positions and locks of the lanes' group, lanes and gateways know what was copied, who
// holds a lease, and what was decided: no request names it. What names another group is its
// broker's to judge.
func TestNoRequestNamesTheLanesGroup(t *testing.T) {
	g := newGuarded(t, "applications: []")
	g.gateway.keys.file = ""
	g.queue(source)
	m := &migration{Migration: Migration{LaneGroup: "lanes"}}
	g.gateway.migration.Store(m)
	all := func(group string, sends func(code int, what string, fields []string, body string)) {
		for code, places := range requestsOfGroups {
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
	all("lanes", func(code int, what string, fields []string, body string) {
		for _, flag := range []int32{wire.FlagOneWay, 0} {
			g.request(code, flag, unsignedBy, fields, body)
		}
		is, remark := g.answer()
		assert.Equal(t, noPermission, is, "code %d, %s: %s", code, what, remark)
		g.nothing("a request that names the lanes' group")
	})
	all("other", func(code int, what string, fields []string, body string) {
		g.source.answer(code, wire.Reply{})
		g.request(code, 0, unsignedBy, fields, body)
		is, remark := g.answer()
		assert.Equal(t, success, is, "code %d, %s, as its broker answers: %s", code, what, remark)
	})
}

// Bodies that brokers may read otherwise don't reach them.
func TestBodiesThatMayNameTheLanesGroupAreRefused(t *testing.T) {
	g := newGuarded(t, "applications: []")
	g.gateway.keys.file = ""
	g.queue(source)
	g.gateway.migration.Store(&migration{Migration: Migration{LaneGroup: "17"}})
	for _, c := range []struct {
		code  int
		body  string
		wants int
	}{
		{200, `{'groupName':'17'}`, systemError},
		{200, `{groupName:"17"}`, systemError},
		{200, `{"groupName":17}`, noPermission},
		{200, `{"groupName":"a","groupName":"\u0031\u0037"}`, noPermission},
		{2001, `\u0031\u0037=1`, systemError},
	} {
		g.request(c.code, 0, unsignedBy, nil, c.body)
		is, remark := g.answer()
		require.Equal(t, c.wants, is, "%s: %s", c.body, remark)
		g.nothing(c.body)
	}
}
