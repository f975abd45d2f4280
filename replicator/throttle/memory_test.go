package throttle

import (
	"context"
	"testing"
	"testing/synctest"
)

func TestMemoryIsGivenUpToItsLimitAndWaitedForBeyond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := NewMemory(100)
		if !m.Try(60) || m.Try(60) {
			t.Fatal("wanted room for the first 60 bytes of 100, and none for 60 more")
		}
		got := make(chan error, 1)
		go func() { got <- m.Wait(context.Background(), 60) }()
		synctest.Wait() // it waits, and nothing else is left to happen
		select {
		case err := <-got:
			t.Fatalf("60 more were given while 60 of 100 are used: %v", err)
		default:
		}
		m.Give(60)
		if err := <-got; err != nil {
			t.Fatal(err)
		}
		ended, cancel := context.WithCancel(context.Background())
		cancel()
		if err := m.Wait(ended, 60); err == nil {
			t.Error("the wait went on although its context had ended")
		}
		m.Give(60)
		if m.used != 0 || m.most != 60 {
			t.Errorf("used %d, at most %d; wanted 0 and 60", m.used, m.most)
		}
	})
}

func TestOneThatIsAloneGetsMoreThanTheLimit(t *testing.T) {
	m := NewMemory(10)
	if !m.Try(4 << 20) {
		t.Error("a message larger than the limit would never be copied")
	}
}
