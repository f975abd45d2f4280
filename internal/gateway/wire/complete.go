package wire

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// A header that isn't written as stock clients write it could be read in one way here and in
// another one by a broker: as a message of one topic here, stored in another one there. So it is
// read completely, as brokers read it where they agree, and written anew in the plain form before
// anything is done with it. What isn't understood is refused.

// header is what the complete reader has understood.
type header struct {
	code, version int
	flag, opaque  int32
	language      string // in JSON
	languageCode  byte   // in RocketMQ's own format
	remark        string
	fields        []field // each key once
	entries       int     // of fields that were read
}

type field struct{ key, value string }

// set takes a field. Of several with one name the last one counts, as in the maps of Java.
func (h *header) set(key, value string) error {
	if err := h.entry(); err != nil {
		return err
	}
	if !plainKey([]byte(key)) {
		return fmt.Errorf("%w: a field is called %.100q", ErrFrame, key)
	}
	h.unset(key)
	if len(h.fields) == MaxFields {
		return fmt.Errorf("%w: more than %d fields", ErrFrame, MaxFields)
	}
	h.fields = append(h.fields, field{key, strings.ToValidUTF8(value, "\uFFFD")})
	return nil
}

// entry counts one that is read.
func (h *header) entry() error {
	if h.entries++; h.entries > mostEntries {
		return fmt.Errorf("%w: more than %d fields, repeated ones among them", ErrFrame, mostEntries)
	}
	return nil
}

func (h *header) unset(key string) {
	h.fields = slices.DeleteFunc(h.fields, func(f field) bool { return f.key == key })
}

// rewrite makes the frame one with this header in the plain form, in memory of its own.
func (f *Frame) rewrite(h header) error {
	inBinary, body := f.Binary, f.Body
	raw := make([]byte, headerAt, 2*headerAt+f.header+len(body))
	kind := byte(0)
	if inBinary {
		kind, raw = 1, h.appendBinary(raw)
	} else {
		raw = h.appendJSON(raw)
	}
	size := len(raw) - headerAt
	appendLengths(raw[:0], kind, size, len(body))
	raw = append(raw, body...)
	if err := checkHeader(size, len(raw)); err != nil {
		return err
	}
	f.reset(raw)
	f.Binary, f.header, f.Body, f.rewritten = inBinary, size, raw[headerAt+size:], true
	if !f.scan(raw[headerAt : headerAt+size]) {
		return fmt.Errorf("%w: a header that can't be written anew", ErrFrame)
	}
	return nil
}

func (h header) appendJSON(dst []byte) []byte {
	dst = strconv.AppendInt(append(dst, `{"code":`...), int64(h.code), 10)
	dst = append(dst, `,"extFields":{`...)
	for i, one := range h.fields {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendText(append(appendText(dst, one.key), ':'), one.value)
	}
	dst = strconv.AppendInt(append(dst, `},"flag":`...), int64(h.flag), 10)
	if h.language != "" {
		dst = appendText(append(dst, `,"language":`...), h.language)
	}
	dst = strconv.AppendInt(append(dst, `,"opaque":`...), int64(h.opaque), 10)
	if h.remark != "" {
		dst = appendText(append(dst, `,"remark":`...), h.remark)
	}
	dst = append(dst, `,"serializeTypeCurrentRPC":"JSON","version":`...)
	return append(strconv.AppendInt(dst, int64(h.version), 10), '}')
}

func (h header) appendBinary(dst []byte) []byte {
	dst = append(binary.BigEndian.AppendUint16(dst, uint16(h.code)), h.languageCode)
	dst = binary.BigEndian.AppendUint16(dst, uint16(h.version))
	dst = binary.BigEndian.AppendUint32(dst, uint32(h.opaque))
	dst = binary.BigEndian.AppendUint32(dst, uint32(h.flag))
	dst = append(binary.BigEndian.AppendUint32(dst, uint32(len(h.remark))), h.remark...)
	at := len(dst)
	dst = binary.BigEndian.AppendUint32(dst, 0)
	for _, one := range h.fields {
		dst = append(binary.BigEndian.AppendUint16(dst, uint16(len(one.key))), one.key...)
		dst = append(binary.BigEndian.AppendUint32(dst, uint32(len(one.value))), one.value...)
	}
	binary.BigEndian.PutUint32(dst[at:], uint32(len(dst)-at-4))
	return dst
}

// readBinary reads a header in RocketMQ's own format completely.
func readBinary(head []byte) (h header, err error) {
	bad := fmt.Errorf("%w: binary header", ErrFrame)
	if len(head) < binaryRemark+8 {
		return h, bad
	}
	h.code, h.version = int(int16(binary.BigEndian.Uint16(head))), int(int16(binary.BigEndian.Uint16(head[3:])))
	h.languageCode = head[2]
	h.opaque, h.flag = int32(
		binary.BigEndian.Uint32(head[binaryOpaque:]),
	), int32(
		binary.BigEndian.Uint32(head[binaryFlag:]),
	)
	remark, at, ok := block(head, binaryRemark)
	if !ok {
		return h, bad
	}
	h.remark = strings.ToValidUTF8(string(remark), "\uFFFD")
	_, end, ok := block(head, at)
	if !ok || end != len(head) {
		return h, bad
	}
	for at += 4; at < end; {
		key, value, next, ok := binaryField(head[:end], at)
		if !ok {
			return h, bad
		}
		if err := h.set(string(key), string(value)); err != nil {
			return h, err
		}
		at = next
	}
	return h, nil
}

// memberNames are members by the names that fastjson takes for them, such as "Code" and "_code".
var memberNames = NamesOf(members[:]...)

// readJSON reads a header in any JSON completely. Members that RocketMQ doesn't know are left out.
func readJSON(head []byte) (h header, err error) {
	in := json.NewDecoder(bytes.NewReader(head))
	in.UseNumber()
	seen, read := map[string]bool{}, 0
	err = eachMember(in, func(key string) error {
		meant, known := memberNames.Means(key)
		read++
		switch {
		case read > mostMembers:
			return fmt.Errorf("more than %d members", mostMembers)
		case known && meant != key:
			return fmt.Errorf("member %.100q, which some take for %s", key, meant)
		case known && seen[key]: // which one counts to brokers depends on where they stand
			return fmt.Errorf("member %s a second time", key)
		}
		seen[key] = true
		return h.member(in, key)
	})
	if err == nil && !(seen["code"] && seen["flag"] && seen["opaque"]) {
		err = errors.New("code, flag or opaque is missing")
	}
	if err == nil {
		if _, more := in.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("text after the header")
		}
	}
	if err != nil {
		return h, fmt.Errorf("%w: JSON header: %w", ErrFrame, err)
	}
	return h, nil
}

// eachMember reads an object; member reads the value of each key.
func eachMember(in *json.Decoder, member func(key string) error) error {
	if open, err := in.Token(); err != nil || open != json.Delim('{') {
		return errors.Join(errors.New("not an object"), err)
	}
	for in.More() {
		key, err := in.Token()
		if err != nil {
			return err
		}
		if err := member(key.(string)); err != nil { // the key of an object's member is a string
			return err
		}
	}
	_, err := in.Token()
	return err
}

// member reads one member of a header.
func (h *header) member(in *json.Decoder, key string) (err error) {
	if key == "extFields" {
		return h.extFields(in)
	}
	var raw json.RawMessage
	if err := in.Decode(&raw); err != nil {
		return err
	}
	value, known, err := scalar(raw)
	var n int64
	switch key {
	case "code", "version", "flag", "opaque":
		if n, err = strconv.ParseInt(value, 10, 32); err != nil {
			return fmt.Errorf("%s is %.100q, and no number of 32 bits", key, value)
		}
	case "language", "remark":
		if err != nil {
			return err
		}
	}
	switch key {
	case "code":
		h.code = int(n)
	case "version":
		h.version = int(n)
	case "flag":
		h.flag = int32(n)
	case "opaque":
		h.opaque = int32(n)
	case "language":
		if h.language = value; value != "" && !plainKey([]byte(value)) {
			return fmt.Errorf("language is %.100q", value)
		}
	case "remark":
		if h.remark = value; !known {
			h.remark = ""
		}
	}
	return nil
}

// extFields reads the fields, null among them: that stands for none.
func (h *header) extFields(in *json.Decoder) error {
	var raw json.RawMessage
	if err := in.Decode(&raw); err != nil {
		return err
	}
	if string(raw) == "null" {
		return nil
	}
	fields := json.NewDecoder(bytes.NewReader(raw))
	fields.UseNumber()
	return eachMember(fields, func(key string) error {
		var raw json.RawMessage
		if err := fields.Decode(&raw); err != nil {
			return err
		}
		value, known, err := scalar(raw)
		switch {
		case err != nil:
			return fmt.Errorf("field %.100q: %w", key, err)
		case !known:
			h.unset(key)
			return h.entry()
		}
		return h.set(key, value)
	})
}

// scalar is a value as fastjson makes a text of it: of texts, whole numbers and truth values. null
// is known as none.
func scalar(raw json.RawMessage) (value string, known bool, err error) {
	switch {
	case string(raw) == "null":
		return "", false, nil
	case string(raw) == "true", string(raw) == "false":
		return string(raw), true, nil
	case len(raw) > 0 && raw[0] == '"':
		err := json.Unmarshal(raw, &value)
		return value, err == nil, err
	}
	if n, err := strconv.ParseInt(string(raw), 10, 64); err == nil && strconv.FormatInt(n, 10) == string(raw) {
		return string(raw), true, nil
	}
	return "", false, fmt.Errorf("%.100q is neither a text nor a whole number", raw)
}
