package remotingtest

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
)

// The tables are as long as a cluster is large, so they are written once.

func (c *Cluster) topicTable() []byte {
	var b bytes.Buffer
	b.WriteString(`{"dataVersion":{"counter":2,"timestamp":1},"topicConfigTable":{`)
	for i, name := range slices.Sorted(maps.Keys(c.Topics)) {
		t := c.Topics[name]
		comma(&b, i)
		fmt.Fprintf(&b, `%q:{"order":false,"perm":%d,"readQueueNums":%d,"topicFilterType":"SINGLE_TAG","topicName":%q,`+
			`"topicSysFlag":0,"writeQueueNums":%d}`, name, t.Perm, t.Read, name, t.Write)
	}
	b.WriteString("}}")
	return b.Bytes()
}

func (c *Cluster) groupTable() []byte {
	var b bytes.Buffer
	b.WriteString(`{"dataVersion":{"counter":2,"timestamp":1},"subscriptionGroupTable":{`)
	for i, name := range slices.Sorted(maps.Keys(c.Groups)) {
		comma(&b, i)
		fmt.Fprintf(
			&b,
			`%q:{"brokerId":0,"consumeBroadcastEnable":true,"consumeEnable":%t,"consumeFromMinEnable":true,`+
				`"groupName":%q,"notifyConsumerIdsChangedEnable":true,"retryMaxTimes":16,"retryQueueNums":1,`+
				`"whichBrokerWhenConsumeSlowly":1}`,
			name,
			c.Groups[name],
			name,
		)
	}
	b.WriteString("}}")
	return b.Bytes()
}

func (c *Cluster) offsetTable() []byte {
	var b bytes.Buffer
	b.WriteString(`{"offsetTable":{`)
	for i, key := range slices.Sorted(maps.Keys(c.Offsets)) {
		comma(&b, i)
		fmt.Fprintf(&b, "%q:{", key)
		for n, queue := range slices.Sorted(maps.Keys(c.Offsets[key])) {
			comma(&b, n)
			fmt.Fprintf(&b, "%d:%d", queue, c.Offsets[key][queue])
		}
		b.WriteString("}")
	}
	b.WriteString("}}")
	return b.Bytes()
}

func comma(b *bytes.Buffer, i int) {
	if i > 0 {
		b.WriteByte(',')
	}
}
