package remoting

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
)

const (
	// Version is what we tell servers: 4.9.8, from which on routes come as standard JSON.
	Version = 409
	// MaxFrame is the largest frame that Java peers read (com.rocketmq.remoting.frameMaxLength).
	MaxFrame = 16 << 20

	FlagResponse = 1 << 0 // it answers a request
	FlagOneWay   = 1 << 1 // it wants no answer

	serializeJSON   = 0
	serializeBinary = 1
)

// languages are the codes of LanguageCode in order; an unknown one reads as OTHER.
var languages = []string{
	"JAVA", "CPP", "DOTNET", "PYTHON", "DELPHI", "ERLANG", "RUBY", "OTHER", "HTTP", "GO", "PHP", "OMS", "RUST",
	"NODE_JS",
}

// Command is one frame: a request or its answer (RemotingCommand).
type Command struct {
	Code     int
	Language string
	Version  int
	Opaque   int32
	Flag     int32
	Remark   string
	Fields   map[string]string
	Body     []byte

	Binary bool    // the header is RocketMQ's binary one instead of JSON; so is that of the answer
	Frame  *Buffer // the memory of Body
}

// Response reports whether the frame answers a request.
func (c *Command) Response() bool { return c.Flag&FlagResponse != 0 }

// jsonHeader is the header as fastjson writes it. Values of extFields are strings, but null is met
// too.
type jsonHeader struct {
	Code      int                `json:"code"`
	Language  string             `json:"language"`
	Version   int                `json:"version"`
	Opaque    int32              `json:"opaque"`
	Flag      int32              `json:"flag"`
	Remark    string             `json:"remark,omitempty"`
	ExtFields map[string]*string `json:"extFields,omitempty"`
}

// AppendFrame appends the frame. A JSON header is read by every server, and codes above 32767 fit.
func AppendFrame(dst []byte, c *Command) ([]byte, error) {
	dst, err := AppendHead(dst, c)
	return append(dst, c.Body...), err
}

// AppendHead appends what comes before the body.
func AppendHead(dst []byte, c *Command) ([]byte, error) {
	begin := len(dst)
	dst = append(dst, 0, 0, 0, 0, 0, 0, 0, 0) // lengths of the frame and of the header
	var err error
	kind := uint32(serializeJSON)
	if c.Binary {
		kind = serializeBinary
		dst, err = appendBinaryHeader(dst, c)
	} else {
		dst, err = appendJSONHeader(dst, c)
	}
	if err != nil {
		return dst[:begin], err
	}
	header := len(dst) - begin - 8
	total := 4 + header + len(c.Body)
	if total > MaxFrame {
		return dst[:begin], fmt.Errorf("frame of %d bytes is over the limit of %d", total, MaxFrame)
	}
	binary.BigEndian.PutUint32(dst[begin:], uint32(total))
	binary.BigEndian.PutUint32(dst[begin+4:], kind<<24|uint32(header))
	return dst, nil
}

func appendJSONHeader(dst []byte, c *Command) ([]byte, error) {
	h := jsonHeader{
		Code:     c.Code,
		Language: c.Language,
		Version:  c.Version,
		Opaque:   c.Opaque,
		Flag:     c.Flag,
		Remark:   c.Remark,
	}
	if len(c.Fields) > 0 {
		h.ExtFields = make(map[string]*string, len(c.Fields))
		for k, v := range c.Fields {
			h.ExtFields[k] = &v
		}
	}
	header, err := json.Marshal(h)
	return append(dst, header...), err
}

// appendBinaryHeader writes RocketMQ's binary header (RocketMQSerializable).
func appendBinaryHeader(dst []byte, c *Command) ([]byte, error) {
	if c.Code < math.MinInt16 || c.Code > math.MaxInt16 {
		return dst, fmt.Errorf("code %d does not fit into a binary header", c.Code)
	}
	dst = append(binary.BigEndian.AppendUint16(dst, uint16(c.Code)), languageCode(c.Language))
	dst = binary.BigEndian.AppendUint16(dst, uint16(c.Version))
	dst = binary.BigEndian.AppendUint32(dst, uint32(c.Opaque))
	dst = binary.BigEndian.AppendUint32(dst, uint32(c.Flag))
	dst = appendText32(dst, c.Remark)
	at := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	for k, v := range c.Fields {
		if v == "" {
			continue // servers read it as null, and sign that as "null"
		}
		if len(k) > math.MaxInt16 {
			return dst, fmt.Errorf("field name of %d bytes does not fit into a binary header", len(k))
		}
		dst = append(binary.BigEndian.AppendUint16(dst, uint16(len(k))), k...)
		dst = appendText32(dst, v)
	}
	binary.BigEndian.PutUint32(dst[at:], uint32(len(dst)-at-4))
	return dst, nil
}

func appendText32(dst []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint32(dst, uint32(len(s))), s...)
}

func languageCode(name string) byte {
	for i, l := range languages {
		if l == name {
			return byte(i)
		}
	}
	return 7 // OTHER
}

var errFrame = errors.New("malformed frame")

// ReadFrame reads one frame. The body is a slice of the frame's own buffer, so messages decoded
// from it need no copy.
func ReadFrame(r io.Reader) (*Command, error) {
	var prefix [4]byte
	if _, err := io.ReadFull(r, prefix[:]); err != nil {
		return nil, err
	}
	total := binary.BigEndian.Uint32(prefix[:])
	if total < 4 || total > MaxFrame {
		return nil, fmt.Errorf("%w: length %d", errFrame, total)
	}
	frame := NewBuffer(int(total))
	if _, err := io.ReadFull(r, frame.Bytes); err != nil {
		return nil, err
	}
	c, err := decodeFrame(frame.Bytes)
	if c != nil {
		c.Frame = frame
	}
	return c, err
}

// decodeFrame reads what follows the length prefix.
func decodeFrame(buf []byte) (*Command, error) {
	if len(buf) < 4 {
		return nil, fmt.Errorf("%w: %d bytes", errFrame, len(buf))
	}
	mark := binary.BigEndian.Uint32(buf)
	kind, n := mark>>24, int(mark&0xFFFFFF)
	if n > len(buf)-4 {
		return nil, fmt.Errorf("%w: header of %d bytes in a frame of %d", errFrame, n, len(buf))
	}
	header, body := buf[4:4+n], buf[4+n:]
	c := &Command{Body: body}
	switch kind {
	case serializeJSON:
		return c, decodeJSONHeader(header, c)
	case serializeBinary:
		return c, decodeBinaryHeader(header, c)
	}
	return nil, fmt.Errorf("%w: serialize type %d", errFrame, kind)
}

func decodeJSONHeader(header []byte, c *Command) error {
	if scanJSONHeader(header, c) {
		return nil
	}
	var h jsonHeader
	if err := json.Unmarshal(header, &h); err != nil {
		return fmt.Errorf("%w: %w", errFrame, err)
	}
	c.Code, c.Language, c.Version, c.Opaque, c.Flag, c.Remark = h.Code, h.Language, h.Version, h.Opaque, h.Flag, h.Remark
	c.Fields = make(map[string]string, len(h.ExtFields))
	for k, v := range h.ExtFields {
		if v != nil {
			c.Fields[k] = *v
		}
	}
	return nil
}

func decodeBinaryHeader(header []byte, c *Command) error {
	r := reader{b: header}
	c.Code = int(int16(r.u16()))
	c.Language = "OTHER"
	if l := int(r.u8()); l < len(languages) {
		c.Language = languages[l]
	}
	c.Version = int(int16(r.u16()))
	c.Opaque, c.Flag = int32(r.u32()), int32(r.u32())
	c.Remark = string(r.take(r.length32()))
	ext := reader{b: r.take(r.length32())}
	c.Fields = make(map[string]string, 8)
	for !r.bad && !ext.bad && len(ext.b) > 0 {
		key := string(ext.take(int(ext.u16())))
		value := string(ext.take(ext.length32()))
		if !ext.bad {
			c.Fields[key] = value
		}
	}
	if r.bad || ext.bad {
		return fmt.Errorf("%w: binary header ends early", errFrame)
	}
	return nil
}
