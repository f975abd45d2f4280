package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/shards"
	"rocketshift/replicator/lane"
)

func discardLogger() *slog.Logger { return slog.New(slog.DiscardHandler) }

func TestMetricsAddUpTheBrokersOfATopic(t *testing.T) {
	observed := &shards.Observed{}
	for _, broker := range []string{"broker-a", "broker-b"} {
		observed.Put(shards.LanesOf{Migration: "orders-2026", Broker: broker}, lane.Progress{
			Waiting: "source broker " + broker + " is down",
			Topics: []lane.TopicProgress{
				{
					Topic:      "orders",
					Lanes:      4,
					CaughtUp:   3,
					Lag:        10,
					LagSeconds: 1.5,
					Copied:     100,
					Bytes:      5000,
					Batches:    5,
					Sending:    0.25,
					Faults:     1,
					Stragglers: 6,
				},
			},
			Back: &lane.Progress{Topics: []lane.TopicProgress{{Topic: "orders", Lanes: 4, CaughtUp: 4}}},
		})
	}
	body := served(t, observed)
	for _, want := range []string{
		`rocketshift_lag_messages{direction="forward",migration="orders-2026",topic="orders"} 20`,
		`rocketshift_lag_seconds{direction="forward",migration="orders-2026",topic="orders"} 1.5`,
		`rocketshift_copied_messages_total{direction="forward",migration="orders-2026",topic="orders"} 200`,
		`rocketshift_send_seconds_total{direction="forward",migration="orders-2026",topic="orders"} 0.5`,
		`rocketshift_straggler_messages_total{direction="forward",migration="orders-2026",topic="orders"} 12`,
		`rocketshift_lanes_faulty{direction="forward",migration="orders-2026",topic="orders"} 2`,
		`rocketshift_lanes_caught_up{direction="reverse",migration="orders-2026",topic="orders"} 8`,
		`rocketshift_lanes_waiting{broker="broker-a",direction="forward",migration="orders-2026"} 1`,
	} {
		assert.Contains(t, body, want+"\n")
	}
}

// served is what a scrape gets.
func served(t *testing.T, observed *shards.Observed) string {
	t.Helper()
	var said bytes.Buffer
	require.NoError(t, serveMetrics(t.Context(), slog.New(slog.NewJSONHandler(&said, nil)), "127.0.0.1:0", observed))
	var at struct{ URL string }
	require.NoError(t, json.Unmarshal(said.Bytes(), &at), "%s", &said)
	response, err := http.Get(at.URL)
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, response.StatusCode, "%s", body)
	return string(body)
}

func TestShardsOfABrokerMayWaitForTheSame(t *testing.T) {
	observed := &shards.Observed{}
	for part := range 3 {
		observed.Put(shards.LanesOf{Migration: "m", Broker: "broker-a", Part: part}, lane.Progress{
			Waiting: "a", Slowed: fmt.Sprintf("the rate: %d messages a second", part),
			Back: &lane.Progress{Waiting: "b"},
		})
	}
	body := served(t, observed)
	assert.Contains(t, body, `rocketshift_lanes_waiting{broker="broker-a",direction="forward",migration="m"} 1`)
	assert.Contains(t, body, `rocketshift_lanes_waiting{broker="broker-a",direction="reverse",migration="m"} 1`)
	assert.Contains(t, body,
		`rocketshift_lanes_slowed{broker="broker-a",direction="forward",migration="m",reason="the rate"} 1`)
}

func TestCountersDontFallWhenAShardGoesToAnotherWorker(t *testing.T) {
	observed := &shards.Observed{}
	for part := range 2 {
		observed.Put(shards.LanesOf{Migration: "m", Part: part}, lane.Progress{
			Topics: []lane.TopicProgress{{Topic: "orders", Lanes: 1, Lag: 7, Copied: 100}},
			Back:   &lane.Progress{Topics: []lane.TopicProgress{{Topic: "orders", Lanes: 1, Copied: 10}}},
		})
	}
	for _, left := range []string{"1", ""} {
		observed.Forget(shards.LanesOf{Migration: "m", Part: len(left)})
		body := served(t, observed)
		assert.Contains(t, body,
			`rocketshift_copied_messages_total{direction="forward",migration="m",topic="orders"} 200`)
		assert.Contains(t, body,
			`rocketshift_copied_messages_total{direction="reverse",migration="m",topic="orders"} 20`)
		if left == "" {
			assert.NotContains(t, body, "rocketshift_lag_messages{", "where no lane runs there is no lag to tell")
		}
	}
}

func TestMetricsAtATakenAddressStopAWorkerOnlyIfItWasAskedFor(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	err = serveMetrics(t.Context(), discardLogger(), l.Addr().String(), &shards.Observed{})
	require.ErrorContains(t, err, "ROCKETSHIFT_METRICS")
	require.NoError(t, serveMetrics(context.Background(), discardLogger(), noMetrics, nil))
}
