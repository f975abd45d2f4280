package lane

import (
	"reflect"
	"strings"
	"testing"
)

func TestPairGoesByBrokerNameThenQueueNumber(t *testing.T) {
	source := []Queue{{"b", 0}, {"a", 10}, {"a", 2}, {"b", 1}}
	target := []Queue{{"x", 3}, {"x", 1}, {"x", 0}, {"x", 2}}
	lanes, err := Pair("orders", source, target)
	want := []Lane{
		{"orders", 0, Queue{"a", 2}, Queue{"x", 0}},
		{"orders", 1, Queue{"a", 10}, Queue{"x", 1}},
		{"orders", 2, Queue{"b", 0}, Queue{"x", 2}},
		{"orders", 3, Queue{"b", 1}, Queue{"x", 3}},
	}
	if err != nil || !reflect.DeepEqual(lanes, want) {
		t.Fatalf("lanes %v, %v; wanted %v", lanes, err, want)
	}
	if source[0] != (Queue{"b", 0}) {
		t.Fatalf("the caller's queues were sorted: %v", source)
	}
}

func TestPairRefusesDifferentNumbersOfQueues(t *testing.T) {
	_, err := Pair("orders", []Queue{{"a", 0}, {"a", 1}, {"b", 0}}, []Queue{{"x", 0}})
	for _, part := range []string{"orders", "source has 3 queues (a 2, b 1)", "target 1 (x 1)"} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("error %v, wanted it to say %q", err, part)
		}
	}
	if _, err := Pair("orders", []Queue{{"a", 0}}, nil); err == nil || !strings.Contains(err.Error(), "none") {
		t.Errorf("error %v, wanted it to say that the target has none", err)
	}
	if lanes, err := Pair("orders", nil, nil); err != nil || len(lanes) != 0 {
		t.Errorf("no queues on either side: %v, %v", lanes, err)
	}
}
