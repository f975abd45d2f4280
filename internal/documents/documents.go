// Package documents keeps what is too big for a workflow's history: a history holds a Reference to
// it. A document is JSON, never changes, and is found by the digest of its content, so that writing
// it again changes nothing and reading it proves what was read. All workers that take activities
// of the same migration share one store.
package documents

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"strings"
	"sync"

	"gocloud.dev/blob"
	_ "gocloud.dev/blob/fileblob" // folders
	_ "gocloud.dev/blob/s3blob"   // S3, and whatever speaks its protocol
	"gocloud.dev/gcerrors"

	"rocketshift/api"
)

// Variable is the environment variable that says where the store is.
const Variable = "ROCKETSHIFT_STORE"

// MissingError says that a document isn't where this program looks.
type MissingError struct {
	Reference api.Reference
	Store     string
	Changed   bool // something else is there
}

func (e *MissingError) Error() string {
	what := "isn't in"
	if e.Changed {
		what = "has other content than its digest says in"
	}
	return fmt.Sprintf("document %s %s the store %s: all workers of a task queue must share one "+
		"store: set the same %s for each of them, or bring the document back; nothing changes until then",
		e.Reference, what, e.Store, Variable)
}

// UnreachableError says that the store doesn't answer, or doesn't take what is written.
type UnreachableError struct {
	Store string
	Cause error
}

func (e *UnreachableError) Error() string {
	return fmt.Sprintf("the store %s doesn't work: %v: check %s, and that the worker may read and write there",
		e.Store, e.Cause, Variable)
}

func (e *UnreachableError) Unwrap() error { return e.Cause }

// Store reads and writes documents. It is opened by its first use, and may be used by many at once.
type Store struct {
	where  *url.URL
	mu     sync.Mutex
	bucket *blob.Bucket
	read   cache
}

// New names a store by a folder, or by a URL: file:///folder, or s3://bucket?region=… with all that
// gocloud.dev/blob/s3blob takes (endpoint, use_path_style, prefix). A folder is made if it isn't
// there; that of a file URL must be there, as it is shared and may not be mounted.
func New(where string) (*Store, error) {
	u, err := url.Parse(where)
	if err != nil {
		return nil, fmt.Errorf("%s: %q is no URL: %w", Variable, where, err)
	}
	switch {
	case where == "":
		return nil, fmt.Errorf("%s: it is empty: want a folder or a URL", Variable)
	case u.Scheme == "":
		folder, err := filepath.Abs(where)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", Variable, err)
		}
		u = &url.URL{Scheme: "file", Path: filepath.ToSlash(folder), RawQuery: "create_dir=1"}
	case u.Scheme != "file" && u.Scheme != "s3":
		return nil, fmt.Errorf("%s: %q: want a folder, file:///folder or s3://bucket", Variable, where)
	}
	return &Store{where: u}, nil
}

// String is where the store is.
func (s *Store) String() string {
	if s.where.Scheme == "file" {
		return "file://" + s.where.Path
	}
	return s.where.Redacted()
}

// open opens the store when it is used first, and again after that failed.
func (s *Store) open(ctx context.Context) (*blob.Bucket, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bucket != nil {
		return s.bucket, nil
	}
	u := *s.where
	if u.Scheme == "file" {
		q := u.Query()
		// a rename from another file system fails, and documents need no attributes
		q.Set("no_tmp_dir", "1")
		q.Set("metadata", "skip")
		u.RawQuery = q.Encode()
	}
	bucket, err := blob.OpenBucket(ctx, u.String())
	if err != nil {
		return nil, &UnreachableError{s.String(), err}
	}
	s.bucket = bucket
	return bucket, nil
}

// Check says why the store can't be used, as far as that is seen without writing.
func (s *Store) Check(ctx context.Context) error {
	bucket, err := s.open(ctx)
	if err != nil {
		return err
	}
	there, err := bucket.IsAccessible(ctx)
	if err == nil && !there {
		err = errors.New("there is no such bucket")
	}
	if err != nil {
		return s.failed(ctx, err)
	}
	return nil
}

// Put writes a document of a migration, unless it is there already. The error is an
// *UnreachableError, or says what is wrong with the document.
func (s *Store) Put(ctx context.Context, migration, kind string, content []byte) (api.Reference, error) {
	sum := sha256.Sum256(content)
	ref := api.Reference{
		Kind: kind, Migration: migration, Digest: hex.EncodeToString(sum[:]), Bytes: len(content),
	}
	if err := ref.Check(); err != nil {
		return ref, err
	}
	bucket, err := s.open(ctx)
	if err != nil {
		return ref, err
	}
	// what this program remembers others may not find any more
	if there, err := s.fetch(ctx, bucket, ref); err == nil {
		s.read.put(ref.Digest, there)
		return ref, nil
	}
	o := &blob.WriterOptions{ContentType: "application/json"}
	if err := bucket.WriteAll(ctx, ref.Key(), content, o); err != nil {
		return ref, s.failed(ctx, err)
	}
	s.read.put(ref.Digest, content)
	return ref, nil
}

// Get reads a document and proves that it is the one that was written. The error is a
// *MissingError, an *UnreachableError, or says what is wrong with the reference. Callers mustn't
// change the content.
func (s *Store) Get(ctx context.Context, ref api.Reference) ([]byte, error) {
	if err := ref.Check(); err != nil {
		return nil, err
	}
	if content, ok := s.read.get(ref.Digest); ok {
		return content, nil
	}
	bucket, err := s.open(ctx)
	if err != nil {
		return nil, err
	}
	content, err := s.fetch(ctx, bucket, ref)
	if err == nil {
		s.read.put(ref.Digest, content)
	}
	return content, err
}

// fetch reads a document where it lies.
func (s *Store) fetch(ctx context.Context, bucket *blob.Bucket, ref api.Reference) ([]byte, error) {
	r, err := bucket.NewReader(ctx, ref.Key(), nil)
	if gcerrors.Code(err) == gcerrors.NotFound {
		return nil, &MissingError{Reference: ref, Store: s.String()}
	}
	if err != nil {
		return nil, s.failed(ctx, err)
	}
	content, err := io.ReadAll(io.LimitReader(r, int64(ref.Bytes)+1))
	if errClose := r.Close(); err == nil {
		err = errClose
	}
	if err != nil {
		return nil, s.failed(ctx, err)
	}
	if sum := sha256.Sum256(content); hex.EncodeToString(sum[:]) != ref.Digest {
		return nil, &MissingError{Reference: ref, Store: s.String(), Changed: true}
	}
	return content, nil
}

func (s *Store) failed(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return &UnreachableError{s.String(), errors.New(strings.TrimSpace(err.Error()))}
}

// Close closes the store; it may be used again.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bucket == nil {
		return nil
	}
	err := s.bucket.Close()
	s.bucket = nil
	return err
}
