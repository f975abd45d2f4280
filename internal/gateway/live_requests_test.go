package gateway

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/control"
	"rocketshift/internal/lab"
	"rocketshift/internal/lab/javaclient"
	"rocketshift/internal/lab/labtest"
)

// talk is stock clients that ask and answer.
type talk struct {
	*rig
	topic, group string

	mu       sync.Mutex
	answers  map[string]string // by request: the topic and the text of its answer, or why none
	replies  []string          // what responders say
	requests int
}

// asks starts a requester.
func (k *talk) asks(version, names, nameServer string) *javaclient.Client {
	k.Helper()
	note := func(request, what string) {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.answers[request] = what
	}
	return javaclient.Requester{
		Version: version, NameServer: nameServer, Topic: k.topic, Group: k.nameOf("asking"),
		Instance: k.nameOf(names), Wait: 20_000,
		Answered: func(request, topic, answer string) { note(request, topic+" "+answer) },
		Failed:   func(request, why string) { note(request, "none: "+why) },
	}.Start(k)
}

// answer starts a responder.
func (k *talk) responds(version, name, nameServer string) *javaclient.Client {
	k.Helper()
	return javaclient.Responder{
		Version: version, NameServer: nameServer, Topic: k.topic, Group: k.group,
		Instance: k.nameOf(name),
		Said: func(line string) {
			k.mu.Lock()
			defer k.mu.Unlock()
			k.replies = append(k.replies, line)
		},
	}.Start(k)
}

// threeAreAnswered wants three requests of a client answered, in a topic that it knows.
func (k *talk) threeAreAnswered(when string, by *javaclient.Client, topic string) {
	k.Helper()
	all := map[string]string{}
	for range 3 {
		k.requests++
		request := fmt.Sprint("request-", k.requests)
		all[request] = topic + " answer to " + request
		require.NoError(k, by.Request(request))
	}
	k.await("requests are answered or not "+when, func() (missing string) {
		k.mu.Lock()
		defer k.mu.Unlock()
		for request := range all {
			if k.answers[request] == "" {
				missing += request + " "
			}
		}
		return missing
	})
	k.mu.Lock()
	defer k.mu.Unlock()
	for request, want := range all {
		assert.Equal(k, want, k.answers[request], "%s; responders said %s", when,
			strings.Join(k.replies, "; "))
	}
}

// clustersSeen are the names of clusters that requests had for responders.
func (k *talk) clustersSeen() (all []string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, line := range k.replies {
		all = append(all, strings.Fields(line)[2])
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// closedClusters are two clusters with other names, whose brokers make no topics by themselves.
func closedClusters(t *testing.T) (from, to *lab.Cluster) {
	t.Helper()
	none := map[string]string{"autoCreateTopicEnable": "false"}
	from = labtest.OwnCluster(t, lab.ClusterSpec{Name: "Old", Version: "4.9.7", Config: none})
	to = labtest.OwnCluster(t, lab.ClusterSpec{
		Name: "Brand-New", Version: "5.3.3", BrokerNames: []string{"broker-x"}, Config: none,
	})
	return from, to
}

// Requests are answered wherever their topic's home and the responders' group are, and wherever
// requester and responder are connected, though the two clusters have other names, and none makes
// topics.
func TestLiveRequestsAreAnsweredWhateverMoves(t *testing.T) {
	t.Parallel()
	from, to := closedClusters(t)
	r := newRigBetween(t, "requests", from, to)
	k := &talk{
		rig: r, topic: r.topic("requests", 2), group: r.group("responders"),
		answers: map[string]string{},
	}
	r.replicate()
	r.open()
	asks := k.asks("4.9.7", "asking", r.entrance)
	responds := k.responds("4.9.7", "responding", r.entrance)
	k.threeAreAnswered("before anything has moved", asks, "Old_REPLY_TOPIC")
	for _, m := range []control.Move{
		{Kind: control.KindSide, To: "target", Groups: []string{k.group}},
		{Kind: control.KindHome, To: "target", Topics: []string{k.topic}},
		{Kind: control.KindSide, To: "source", Groups: []string{k.group}},
		{Kind: control.KindHome, To: "source", Topics: []string{k.topic}},
	} {
		r.move(m)
		k.threeAreAnswered(fmt.Sprint("after ", m.Kind, " to ", m.To), asks, "Old_REPLY_TOPIC")
	}
	assert.Equal(t, []string{"Old"}, k.clustersSeen())

	// Applications are pointed to the target one after the other.
	r.move(control.Move{Kind: control.KindSide, To: "target", Groups: []string{k.group}})
	r.move(control.Move{Kind: control.KindHome, To: "target", Topics: []string{k.topic}})
	direct := k.asks("4.9.7", "direct", to.NameServers[0])
	k.threeAreAnswered("of a requester at the target", direct, "Brand-New_REPLY_TOPIC")
	responds.Stop(t)
	k.responds("4.9.7", "responding-directly", to.NameServers[0])
	k.threeAreAnswered("by a responder at the target", asks, "Old_REPLY_TOPIC")
}
