package rocketmq

import (
	"context"
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
	"time"

	"rocketshift/internal/rocketmq/remoting"
)

// A closed connection whose end is a reset has thrown away what was on its way; an orderly end
// means that it was delivered.
func TestRequestsThatWereGivenUpAreNotDeliveredLater(t *testing.T) {
	for name, gaveUp := range map[string]bool{"given up": true, "all answered": false} {
		t.Run(name, func(t *testing.T) {
			server, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = server.Close() }()
			client := NewClient(Options{})
			if _, err := client.conn(context.Background(), server.Addr().String()); err != nil {
				t.Fatal(err)
			}
			accepted, err := server.Accept()
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = accepted.Close() }()
			if err := accepted.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
				t.Fatal(err)
			}
			if gaveUp {
				ctx, cancel := context.WithCancel(context.Background())
				called := make(chan error, 1)
				go func() {
					_, err := client.Call(ctx, server.Addr().String(), &remoting.Command{Code: remoting.CodeSendBatch})
					called <- err
				}()
				_, err := accepted.Read(make([]byte, 1))
				cancel()
				if gone := <-called; err != nil || !remoting.Ambiguous(gone) {
					t.Fatalf("%v, %v, wanted a request and no answer", err, gone)
				}
			}
			client.Close()
			if _, err := io.Copy(io.Discard, accepted); errors.Is(err, syscall.ECONNRESET) != gaveUp {
				t.Fatalf("the server saw the end %v, wanted a reset: %v", err, gaveUp)
			}
		})
	}
}
