package assess

import (
	"encoding/binary"
	"encoding/json"
	"io"
	"net"
	"testing"

	"github.com/stretchr/testify/require"

	"rocketshift/internal/rocketmq/remoting"
)

// relay passes what clients and a real server say to each other, and changes the bodies of the
// server's answers. It returns its address.
func relay(t *testing.T, server string, change func(body string) string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return // the test is over
			}
			behind, err := net.Dial("tcp", server)
			if err != nil {
				_ = client.Close()
				continue
			}
			go func() {
				_, _ = io.Copy(behind, client)
				_ = behind.Close()
			}()
			go func() {
				for passed(client, behind, change) == nil {
				}
				_ = client.Close()
			}()
		}
	}()
	return listener.Addr().String()
}

// passed passes one frame: its length, the length of its header, both, and the body.
func passed(client io.Writer, server io.Reader, change func(string) string) error {
	var lengths [8]byte
	if _, err := io.ReadFull(server, lengths[:]); err != nil {
		return err
	}
	header := int(binary.BigEndian.Uint32(lengths[4:]) & 0xffffff)
	frame := make([]byte, binary.BigEndian.Uint32(lengths[:4])-4)
	if _, err := io.ReadFull(server, frame); err != nil {
		return err
	}
	frame = append(frame[:header:header], change(string(frame[header:]))...)
	binary.BigEndian.PutUint32(lengths[:4], uint32(len(frame)+4))
	_, err := client.Write(append(lengths[:], frame...))
	return err
}

// silentMember is a member of a group that says nothing of itself but that it is there.
func (s source) silentMember(group, id, topic string) {
	s.Helper()
	body, err := json.Marshal(map[string]any{
		"clientID": id, "producerDataSet": []any{}, "consumerDataSet": []map[string]any{{
			"groupName": group, "consumeType": "CONSUME_PASSIVELY", "messageModel": "CLUSTERING",
			"consumeFromWhere": "CONSUME_FROM_LAST_OFFSET", "unitMode": false, "subscriptionDataSet": []map[string]any{{
				"topic": topic, "subString": "*", "subVersion": 1, "expressionType": "TAG", "classFilterMode": false,
				"tagsSet": []string{}, "codeSet": []int{},
			}},
		}},
	})
	require.NoError(s, err)
	frame, err := remoting.AppendFrame(nil, &remoting.Command{
		Code: remoting.CodeHeartbeat, Language: "JAVA", Version: remoting.Version, Opaque: 1, Body: body,
	})
	require.NoError(s, err)
	conn, err := net.Dial("tcp", s.at.Addr)
	require.NoError(s, err)
	s.Cleanup(func() { _ = conn.Close() })
	_, err = conn.Write(frame)
	require.NoError(s, err)
	for answered := false; !answered; { // the broker also says who else is there
		got, err := remoting.ReadFrame(conn)
		require.NoError(s, err)
		if answered = got.Response(); answered {
			require.Equal(s, remoting.Success, got.Code, got.Remark)
		}
	}
	go func() { _, _ = io.Copy(io.Discard, conn) }() // what the broker asks stays without an answer
}
