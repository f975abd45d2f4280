package replica

import (
	"errors"
	"testing"
)

func TestLanesOfOneBrokerDoNotWaitForAnother(t *testing.T) {
	errBusy := errors.New("busy")
	made, frozen := newGroupsMade(), make(chan struct{})
	go func() { _ = made.once("frozen", func() error { <-frozen; return nil }) }()
	defer close(frozen)
	asked := 0
	for range 3 {
		if err := made.once("healthy", func() error { asked++; return nil }); err != nil || asked != 1 {
			t.Fatalf("asked %d times, %v; wanted once", asked, err)
		}
	}
	made.forget("healthy")
	if err := made.once("healthy", func() error { asked++; return errBusy }); !errors.Is(err, errBusy) || asked != 2 {
		t.Fatalf("asked %d times, %v; wanted it asked again once it is forgotten", asked, err)
	}
	if err := made.once("healthy", func() error { asked++; return nil }); err != nil || asked != 3 {
		t.Fatalf("asked %d times, %v; wanted it asked again after an error", asked, err)
	}
}
