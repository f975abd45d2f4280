package remotingtest

import (
	"bufio"
	"net"
	"testing"

	"rocketshift/internal/rocketmq/remoting"
)

// Answer is what a fake server says to a request.
type Answer struct {
	Code   int
	Remark string
	Fields map[string]string
	Body   []byte
}

// Serve answers requests at a port of its own until the test ends, in the order of each connection,
// and returns its address.
func Serve(t testing.TB, answer func(*remoting.Command) Answer) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go serveOne(conn, answer)
		}
	}()
	return listener.Addr().String()
}

func serveOne(conn net.Conn, answer func(*remoting.Command) Answer) {
	defer func() { _ = conn.Close() }()
	in, out := bufio.NewReader(conn), []byte(nil)
	for {
		asked, err := remoting.ReadFrame(in)
		if err != nil {
			return
		}
		said := answer(asked)
		frame, err := remoting.AppendFrame(out[:0], &remoting.Command{
			Code: said.Code, Remark: said.Remark, Fields: said.Fields, Body: said.Body,
			Opaque: asked.Opaque, Flag: remoting.FlagResponse, Language: "JAVA", Version: 407, Binary: asked.Binary,
		})
		if err != nil {
			return
		}
		if _, err := conn.Write(frame); err != nil {
			return
		}
		out = frame
	}
}
