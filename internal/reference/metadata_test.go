package reference

import (
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"

	"rocketshift/internal/metadata"
)

func TestTheReferenceHasEveryKeyOfTheModel(t *testing.T) {
	notes := comments(t, "internal/metadata")
	var rows [][]string
	for _, object := range []struct {
		at    string
		value any
	}{
		{"origin.", metadata.Origin{}},
		{"brokers[].", metadata.Broker{}},
		{"topics[].", metadata.Topic{}},
		{"topics[].queues[].", metadata.Queues{}},
		{"groups[].", metadata.Group{}},
		{"subscriptions[].", metadata.Subscription{}},
		{"order[].", metadata.Order{}},
		{"kv[].", metadata.KV{}},
	} {
		for _, f := range fields(reflect.ValueOf(object.value), object.at, notes) {
			if f.value.Kind() == reflect.Slice && f.value.Type().Elem().Kind() == reflect.Struct {
				continue // its own keys follow
			}
			rows = append(rows, []string{Code(f.path), f.kind, angled.Replace(f.comment)})
		}
	}
	require.Greater(t, len(rows), 40)
	Check(t, "metadata.md", "keys", Table([]string{"key", "kind", "comment in the code"}, rows))
}
