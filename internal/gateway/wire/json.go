package wire

import (
	"bytes"

	"rocketshift/internal/rocketmq/remoting"
)

// scanJSON reads a header in the plain form: one flat object with the members that RocketMQ knows,
// each once, and one of texts in it.
func (f *Frame) scanJSON(head []byte) bool {
	s := remoting.NewScanner(head)
	var seen [len(members)]bool
	ok := s.Object(func(key []byte) bool {
		which := memberOf(key)
		if which < 0 || seen[which] {
			return false
		}
		seen[which] = true
		switch string(key) {
		case "code":
			n, from, ok := s.Number32()
			f.Code, f.at.code = int(n), place{from, s.At()}
			return ok
		case "version":
			n, _, ok := s.Number32()
			f.Version = int(n)
			return ok
		case "opaque":
			n, from, ok := s.Number32()
			f.Opaque, f.at.opaque = n, place{from, s.At()}
			return ok
		case "flag":
			n, from, ok := s.Number32()
			f.Flag, f.at.flag = n, place{from, s.At()}
			return ok
		case "extFields":
			return f.scanFields(&s)
		}
		if s.Literal("null") {
			return true
		}
		text, _, ok := s.Text()
		if string(key) == "remark" {
			f.Remark = text
		}
		return ok
	})
	return ok && s.Done() && f.at.opaque.from > 0 && f.at.flag.from > 0 && f.at.code.from > 0 && f.at.fields > 0
}

// members are those of RemotingCommand.
var members = [...]string{
	"code",
	"extFields",
	"flag",
	"language",
	"opaque",
	"remark",
	"serializeTypeCurrentRPC",
	"version",
}

func memberOf(key []byte) int {
	for i := range members {
		if string(key) == members[i] {
			return i
		}
	}
	return -1
}

// scanFields takes extFields.
func (f *Frame) scanFields(s *remoting.Scanner) bool {
	ok := s.Object(func(key []byte) bool {
		value, from, ok := s.Text()
		return ok && f.enter(Field{Key: key, Value: value, place: place{from, from + len(value)}})
	})
	f.at.fields = s.At() - 1
	return ok
}

// Unescaped is a field's value as text: what JSON has escaped is resolved.
func (f *Frame) Unescaped(key string) string { return f.unescaped(f.Get(key)) }

// RemarkText is the remark as text: what JSON has escaped is resolved.
func (f *Frame) RemarkText() string { return f.unescaped(f.Remark) }

// Text is a field's value as text, nil without the field. It is valid as long as the frame is.
func (f *Frame) Text(key string) []byte {
	value := f.Get(key)
	if f.Binary || bytes.IndexByte(value, '\\') < 0 {
		return value
	}
	begin := len(f.memory)
	f.memory = remoting.AppendUnescaped(f.memory, value)
	return f.memory[begin:]
}

func (f *Frame) unescaped(value []byte) string {
	if f.Binary || bytes.IndexByte(value, '\\') < 0 {
		return string(value)
	}
	return string(remoting.AppendUnescaped(nil, value))
}
