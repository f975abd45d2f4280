package replicator

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"rocketshift/internal/lab"
	"rocketshift/internal/lab/labtest"
	"rocketshift/replicator/lane"
)

func TestLongTargetWhoseDiskIsFullGetsTheRestWhenThereIsRoom(t *testing.T) {
	t.Parallel()
	disk := t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=128m"); err != nil {
		t.Skipf("a small disk for the broker can't be made here: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(disk, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	cluster := labtest.OwnCluster(
		t,
		lab.ClusterSpec{Name: "Full", Version: "5.3.3", Brokers: 1, Config: map[string]string{
			"storePathCommitLog": filepath.Join(disk, "commitlog"), "mappedFileSizeCommitLog": "16777216",
		}},
	)
	l := newLiveOn(t, cluster, "full-disk", 1)
	l.fill(100)
	c := l.start("one", l.lanes, func(r *Replicator) { r.timing.retryMax = time.Second })
	l.untilCopied(c)
	other := filepath.Join(disk, "other")
	if err := os.WriteFile(other, make([]byte, 120<<20), 0o600); err != nil &&
		!strings.Contains(err.Error(), "no space") {
		t.Fatal(err)
	}
	more := time.Now()
	l.until("the lanes say that the target takes nothing", c, func(p lane.Progress) bool {
		if time.Since(more) > time.Second { // little: what is on the disk must not become more than it takes
			more = time.Now()
			l.fill(1)
		}
		return strings.Contains(p.Waiting, "target broker "+cluster.Brokers[0].Name) &&
			strings.Contains(p.Waiting, "SERVICE_NOT_AVAILABLE")
	})
	if err := os.Remove(other); err != nil {
		t.Fatal(err)
	}
	l.untilCopied(c)
	if p := c.stop(); len(p.Faults) > 0 {
		t.Fatalf("faults %+v: it would have gone on by itself", p.Faults)
	}
	l.wantClean(l.verify().Compared)
}
