package files

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"unicode/utf8"
)

// ReadText reads a file of UTF-8 text that has no more bytes than most; it never holds more in
// memory. A mark at its beginning, which some editors write, is taken away. The error says what is
// wrong, and not with which file.
func ReadText(path string, most int64) ([]byte, error) {
	text, err := ReadBounded(path, most)
	if err != nil {
		return nil, err
	}
	if bytes.HasPrefix(text, []byte("\xff\xfe")) || bytes.HasPrefix(text, []byte("\xfe\xff")) ||
		bytes.IndexByte(text[:min(len(text), 4)], 0) >= 0 {
		return nil, errors.New("it is UTF-16 or no text: save it as UTF-8")
	}
	if !utf8.Valid(text) {
		return nil, errors.New("it is no text in UTF-8: save it as UTF-8")
	}
	return bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")), nil
}

// ReadBounded reads a file that has no more bytes than most.
func ReadBounded(path string, most int64) ([]byte, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errors.New("it is not there")
	}
	if err != nil {
		return nil, withoutPath(err)
	}
	defer f.Close()
	about, err := f.Stat()
	switch {
	case err != nil:
		return nil, withoutPath(err)
	case about.IsDir():
		return nil, errors.New("it is a folder; give a file")
	case about.Size() > most:
		return nil, tooLong(most)
	}
	text, err := io.ReadAll(io.LimitReader(f, most+1))
	if err != nil {
		return nil, withoutPath(err)
	}
	if int64(len(text)) > most {
		return nil, tooLong(most)
	}
	return text, nil
}

func withoutPath(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

func tooLong(most int64) error {
	return fmt.Errorf("it has more than %d bytes, the most that is read", most)
}
