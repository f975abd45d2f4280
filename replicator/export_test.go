package replicator

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"
	"testing/synctest"

	"rocketshift/replicator/verify"
)

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("the disk is full") }

func TestDifferencesAreWrittenAsLinesOfJSON(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newLaneFixture(t)
		b.write(5, 5)
		run := b.start()
		run.untilCaughtUp()
		run.end()
		b.target.Set(func() { b.target.Log(b.lane.Topic, b.lane.Target).Messages[2].Body = []byte("another") })
		var file bytes.Buffer
		write, failed := verify.WriteDifferences(&file)
		if _, err := b.compare(verify.Options{Differences: write}, nil); err != nil || failed() != nil {
			t.Fatal(err, failed())
		}
		var got verify.Difference
		if err := json.Unmarshal(file.Bytes(), &got); err != nil || bytes.Count(file.Bytes(), []byte("\n")) != 1 {
			t.Fatalf("%v: %q, wanted one line of JSON", err, file.String())
		}
		if got.Kind != verify.KindAltered || got.Offset != 2 || got.Position != 2 || got.Topic != b.lane.Topic ||
			got.Broker != b.lane.Source.Broker {
			t.Errorf("%+v, wanted the altered message at offset 2", got)
		}
		write, failed = verify.WriteDifferences(brokenWriter{})
		write(got)
		if failed() == nil {
			t.Error("the writer failed, and nobody is told")
		}
	})
}
