package keyring

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"

	"go.yaml.in/yaml/v2"

	"rocketshift/internal/files"
)

// mostBytes is the largest file of secrets that is read: some 10,000 users.
const mostBytes = 4 << 20

// ownerOnly is who may read a file of secrets.
const ownerOnly = 0o600

// file is how secrets lie in a file.
type file struct {
	Users []entry `yaml:"users"`
}

type entry struct {
	Username string `yaml:"username"`
	Password string `yaml:"password"`
}

const heading = "# Secrets of users that were made new, as the old ones can't be read.\n" +
	"# Give each application its own, and then delete this file.\n"

// Read reads a file of secrets. A file that doesn't exist is empty. Others than the owner must not
// be able to read it.
func Read(path string) (*Ring, error) {
	r := &Ring{}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return r, nil
	}
	if err != nil {
		return nil, fmt.Errorf("file of secrets: %w", err)
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, fmt.Errorf("file of secrets: %w", err)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("file of secrets %s: it is no regular file: name another", path)
	case info.Mode().Perm()&^ownerOnly != 0:
		return nil, fmt.Errorf("file of secrets %s: others than its owner may read it: chmod 600 %s", path, path)
	}
	text, err := io.ReadAll(io.LimitReader(f, mostBytes+1))
	if err != nil {
		return nil, fmt.Errorf("file of secrets: %w", err)
	}
	if len(text) > mostBytes {
		return nil, fmt.Errorf("file of secrets %s: it has more than %d bytes: name another", path, mostBytes)
	}
	return r, r.fill(path, text)
}

// fill reads the text. The decoder's own error would show parts of it.
func (r *Ring) fill(path string, text []byte) error {
	var all file
	if err := yaml.UnmarshalStrict(text, &all); err != nil {
		return fmt.Errorf("file of secrets %s: want users, each with username and password; it isn't of this form: "+
			"restore it, or name another", path)
	}
	for i, one := range all.Users {
		if _, twice := r.secrets[one.Username]; twice || one.Username == "" || one.Password == "" {
			return fmt.Errorf("file of secrets %s: users[%d]: want a username of its own, and a password", path, i)
		}
		r.Put(one.Username, one.Password)
	}
	return nil
}

// Write adds the ring's secrets to a file that only its owner may read. What the file has stays: a
// user with another secret there is an error, and the file is as it was. One caller at a time may
// write the same file.
func (r *Ring) Write(path string) error {
	all, err := Read(path)
	if err != nil {
		return err
	}
	before := len(all.secrets)
	for user, secret := range r.secrets {
		if _, known := all.Of(user); known && !all.Same(r, user) {
			return fmt.Errorf("file of secrets %s: it has another secret of user %s: name another file", path, user)
		}
		all.Put(user, secret)
	}
	if len(all.secrets) == before {
		return nil
	}
	var out file
	for _, user := range slices.Sorted(maps.Keys(all.secrets)) {
		out.Users = append(out.Users, entry{user, all.secrets[user]})
	}
	text, err := yaml.Marshal(out)
	if err != nil {
		return fmt.Errorf("file of secrets %s: it can't be encoded", path)
	}
	content := bytes.Join([][]byte{[]byte(heading), text}, nil)
	if err := (files.Replacement{Path: path, Permission: ownerOnly, Several: true}).With(content); err != nil {
		return fmt.Errorf("file of secrets: %w", err)
	}
	return nil
}
