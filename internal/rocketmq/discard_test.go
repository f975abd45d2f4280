package rocketmq

import (
	"context"
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
	"time"
)

// A closed connection whose end is a reset has thrown away what was on its way; an orderly end means that it was delivered.
func TestRequestsThatWereGivenUpAreNotDeliveredLater(t *testing.T) {
	for name, gaveUp := range map[string]bool{"given up": true, "all answered": false} {
		t.Run(name, func(t *testing.T) {
			server, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = server.Close() }()
			client := NewClient(Options{})
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
			defer cancel()
			if gaveUp {
				if _, err := client.Call(ctx, server.Addr().String(), &Command{Code: codeSendBatch}); !Ambiguous(err) {
					t.Fatalf("%v, wanted no answer", err)
				}
			} else if _, err := client.conn(context.Background(), server.Addr().String()); err != nil {
				t.Fatal(err)
			}
			accepted, err := server.Accept()
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = accepted.Close() }()
			client.Close()
			if err := accepted.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
				t.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, accepted); errors.Is(err, syscall.ECONNRESET) != gaveUp {
				t.Fatalf("the server saw the end %v, wanted a reset: %v", err, gaveUp)
			}
		})
	}
}
