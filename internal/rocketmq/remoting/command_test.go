package remoting

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"
)

func sampleCommands() []*Command {
	return []*Command{
		{
			Code:     310,
			Language: "GO",
			Version:  409,
			Opaque:   7,
			Fields:   map[string]string{"a": "g", "i": "KEYS\x01k\x02"},
			Body:     []byte("body"),
		},
		{
			Code:     0,
			Language: "JAVA",
			Version:  407,
			Opaque:   -1,
			Flag:     FlagResponse,
			Remark:   "not set any response code",
			Fields:   map[string]string{},
		},
		{
			Code:     11,
			Language: "OTHER",
			Version:  0,
			Flag:     FlagOneWay,
			Fields:   map[string]string{"topic": "ünï"},
			Body:     []byte{},
		},
	}
}

func TestFramesOfBothKindsReadBackAsWritten(t *testing.T) {
	for name, encode := range map[string]func([]byte, *Command) ([]byte, error){"json": AppendFrame, "binary": appendBinaryFrame} {
		for _, want := range sampleCommands() {
			frame, err := encode(nil, want)
			require.NoError(t, err)
			require.Equal(t, uint32(len(frame)-4), binary.BigEndian.Uint32(frame),
				"%s: the length doesn't count itself", name)
			got, err := ReadFrame(bytes.NewReader(frame))
			require.NoError(t, err)
			require.Equal(t, string(want.Body), string(got.Body))
			got.Body, got.Frame = want.Body, nil
			require.Equal(t, want, got, name)
		}
	}
}

func TestFramesThatDoNotFitAreRefused(t *testing.T) {
	_, err := AppendFrame(nil, &Command{Body: make([]byte, MaxFrame)})
	require.ErrorContains(t, err, "over the limit")
	_, err = appendBinaryFrame(nil, &Command{Code: 200_050})
	require.ErrorContains(t, err, "200050 does not fit")
	for name, b := range map[string][]byte{
		"length 0":         {0, 0, 0, 0},
		"length too large": {0x7f, 0xff, 0xff, 0xff},
		"header too long":  {0, 0, 0, 4, 0, 0, 0, 9},
		"unknown kind":     {0, 0, 0, 4, 9, 0, 0, 0},
		"header no JSON":   {0, 0, 0, 5, 0, 0, 0, 1, '{'},
	} {
		_, err := ReadFrame(bytes.NewReader(b))
		require.ErrorIs(t, err, errFrame, name)
	}
}

func FuzzDecodeFrame(f *testing.F) {
	for _, c := range sampleCommands() {
		for _, encode := range []func([]byte, *Command) ([]byte, error){AppendFrame, appendBinaryFrame} {
			frame, err := encode(nil, c)
			require.NoError(f, err)
			f.Add(frame[4:])
		}
	}
	f.Add([]byte{1, 0, 0, 21})
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := decodeFrame(b)
		if err != nil {
			return
		}
		again, err := AppendFrame(nil, c)
		if err != nil {
			return // it decoded from another form, and has a size that we don't send
		}
		_, err = decodeFrame(again[4:])
		require.NoError(t, err)
	})
}

func TestSignatureCoversTheFieldsInOrderAndTheBody(t *testing.T) {
	// printf rocketmq21topic1body | openssl dgst -sha1 -hmac 12345678 -binary | base64: AccessKey,
	// b, z, then the body.
	c := &Command{Fields: map[string]string{"z": "topic1", "b": "1", "Signature": "old"}, Body: []byte("body")}
	Sign(c, Credentials{AccessKey: "rocketmq2", SecretKey: "12345678"})
	require.Equal(t, "rocketmq2", c.Fields["AccessKey"])
	require.Equal(t, "fQC9EFg2kv0KLjPJiE0uEjjQH/c=", c.Fields["Signature"])
	require.NotContains(t, Credentials{AccessKey: "k", SecretKey: "secret"}.String(), "secret")
}

func appendBinaryFrame(dst []byte, c *Command) ([]byte, error) {
	binary := *c
	binary.Binary = true
	return AppendFrame(dst, &binary)
}

func TestBinaryHeadersLeaveOutEmptyFields(t *testing.T) {
	frame, err := appendBinaryFrame(nil,
		&Command{Code: 320, Language: "GO", Fields: map[string]string{"i": "", "b": "orders"}})
	require.NoError(t, err)
	got, err := ReadFrame(bytes.NewReader(frame))
	require.NoError(t, err)
	require.Equal(t, map[string]string{"b": "orders"}, got.Fields,
		"a broker reads an empty field as null, and its signature check fails")
}
