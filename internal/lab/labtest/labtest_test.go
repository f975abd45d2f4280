package labtest

import "testing"

func TestMain(m *testing.M) { Main(m) }

func TestSharedClustersServe(t *testing.T) {
	for _, version := range []string{"4.9.7", "5.3.3"} {
		c := Cluster(t, version)
		if c != Cluster(t, version) {
			t.Error("a second cluster instead of the shared one")
		}
		t.Log(c.Brokers)
	}
	t.Log(Temporal(t).UIAddress)
}
