package documents

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// fakeS3 keeps objects of one bucket, as MinIO and others do behind their endpoint.
type fakeS3 struct {
	mu      sync.Mutex
	objects map[string][]byte // by /bucket/key
	keys    map[string]bool   // access keys that signed
	refuse  bool
}

func startS3(t *testing.T) (*fakeS3, string) {
	t.Helper()
	f := &fakeS3{objects: map[string][]byte{}, keys: map[string]bool{}}
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIDTEST")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "never-to-be-seen")
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("AWS_CONFIG_FILE", os.DevNull)
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", os.DevNull)
	return f, "s3://artifacts?region=eu-central-1&use_path_style=true&prefix=team/&endpoint=" + server.URL
}

func (f *fakeS3) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	_, credential, signed := strings.Cut(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 Credential=")
	key, _, _ := strings.Cut(credential, "/")
	f.keys[key] = true
	if !signed || f.refuse {
		failS3(w, http.StatusForbidden, "AccessDenied")
		return
	}
	switch r.Method {
	case http.MethodPut:
		content, err := bodyOf(r)
		if err != nil {
			failS3(w, http.StatusBadRequest, "IncompleteBody")
			return
		}
		f.objects[r.URL.Path] = content
	case http.MethodGet, http.MethodHead:
		content, there := f.objects[r.URL.Path]
		if !there && strings.Count(r.URL.Path, "/") > 1 {
			failS3(w, http.StatusNotFound, "NoSuchKey")
			return
		}
		w.Header().Set("Content-Length", strconv.Itoa(len(content)))
		_, _ = w.Write(content)
	default:
		failS3(w, http.StatusMethodNotAllowed, "MethodNotAllowed")
	}
}

func failS3(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, `<?xml version="1.0"?><Error><Code>%s</Code><Message>no</Message></Error>`, code)
}

// bodyOf is an object as it was put, also in signed chunks.
func bodyOf(r *http.Request) ([]byte, error) {
	if !strings.Contains(r.Header.Get("Content-Encoding"), "aws-chunked") {
		return io.ReadAll(r.Body)
	}
	in, out := bufio.NewReader(r.Body), &bytes.Buffer{}
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return nil, err
		}
		size, _, _ := strings.Cut(strings.TrimSpace(line), ";")
		n, err := strconv.ParseInt(size, 16, 64)
		if err != nil || n == 0 {
			return out.Bytes(), err
		}
		if _, err := io.CopyN(out, in, n); err != nil {
			return nil, err
		}
		if _, err := in.ReadString('\n'); err != nil {
			return nil, err
		}
	}
}

func TestWorkersOnSeveralMachinesShareABucket(t *testing.T) {
	server, where := startS3(t)
	mine, other := newStore(t, where), newStore(t, where)
	require.NoError(t, mine.Check(t.Context()))
	content := bytes.Repeat([]byte(`{"topic": "orders"},`), 200_000) // 4 MB
	ref, err := mine.Put(t.Context(), "orders-2026", "inventory", content)
	require.NoError(t, err)
	assert.Contains(t, server.objects, "/artifacts/team/orders-2026/"+ref.Digest+".json")
	got, err := other.Get(t.Context(), ref)
	require.NoError(t, err)
	assert.True(t, bytes.Equal(content, got))
	assert.Equal(t, map[string]bool{"AKIDTEST": true}, server.keys, "keys come from the environment")
}

func TestADocumentThatTheBucketLostOrChangedIsNotBelieved(t *testing.T) {
	server, where := startS3(t)
	ref, err := newStore(t, where).Put(t.Context(), "orders", "ledger", []byte("[1]"))
	require.NoError(t, err)
	var missing *MissingError
	for name, change := range map[string]func(map[string][]byte, string){
		"changed": func(objects map[string][]byte, key string) { objects[key] = []byte("[2]") },
		"lost":    func(objects map[string][]byte, key string) { delete(objects, key) },
	} {
		server.mu.Lock()
		change(server.objects, "/artifacts/team/orders/"+ref.Digest+".json")
		server.mu.Unlock()
		_, err = newStore(t, where).Get(t.Context(), ref)
		require.ErrorAs(t, err, &missing, name)
	}
	again, err := newStore(t, where).Put(t.Context(), "orders", "ledger", []byte("[1]"))
	require.NoError(t, err, "what is measured anew has the same name")
	assert.Equal(t, ref, again)
	_, err = newStore(t, where).Get(t.Context(), ref)
	require.NoError(t, err)
}

func TestABucketThatRefusesIsToldWithoutItsSecret(t *testing.T) {
	server, where := startS3(t)
	server.refuse = true
	s := newStore(t, where)
	_, err := s.Put(t.Context(), "orders", "ledger", []byte("[1]"))
	var unreachable *UnreachableError
	require.ErrorAs(t, err, &unreachable)
	assert.ErrorContains(t, err, "artifacts")
	assert.NotContains(t, err.Error()+s.String(), "never-to-be-seen")
	require.Error(t, s.Check(t.Context()))
}
