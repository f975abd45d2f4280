package documents

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/api"
)

func newStore(t *testing.T, where string) *Store {
	t.Helper()
	s, err := New(where)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	return s
}

func TestADocumentIsReadByAnotherWorkerThatSharesTheStore(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "made", "by", "its", "first", "use")
	mine, other := newStore(t, folder), newStore(t, folder)
	content := []byte(`{"topics": []}`)
	ref, err := mine.Put(t.Context(), "orders-2026", "inventory", content)
	require.NoError(t, err)
	assert.Equal(t, len(content), ref.Bytes)
	got, err := other.Get(t.Context(), ref)
	require.NoError(t, err)
	assert.Equal(t, content, got)
	again, err := other.Put(t.Context(), "orders-2026", "inventory", content)
	require.NoError(t, err)
	assert.Equal(t, ref, again)
	files, err := filepath.Glob(filepath.Join(folder, "orders-2026", "*"))
	require.NoError(t, err)
	assert.Equal(t, []string{filepath.Join(folder, "orders-2026", ref.Digest+".json")}, files)
}

func TestAMissingDocumentSaysWhichWhereAndWhatToDo(t *testing.T) {
	ref, err := newStore(t, t.TempDir()).Put(t.Context(), "orders", "ledger", []byte("[]"))
	require.NoError(t, err)
	empty := t.TempDir()
	_, err = newStore(t, empty).Get(t.Context(), ref)
	var missing *MissingError
	require.ErrorAs(t, err, &missing)
	for _, says := range []string{"orders/" + ref.Digest, "ledger", "file://" + empty, "share", Variable} {
		assert.ErrorContains(t, err, says)
	}
}

func TestADocumentThatWasChangedIsNotBelievedAndIsWrittenAgain(t *testing.T) {
	folder := t.TempDir()
	ref, err := newStore(t, folder).Put(t.Context(), "orders", "ledger", []byte("[1]"))
	require.NoError(t, err)
	for name, other := range map[string][]byte{"as long": []byte("[2]"), "longer": bytes.Repeat([]byte("1"), 100), "cut": nil} {
		require.NoError(t, os.WriteFile(filepath.Join(folder, "orders", ref.Digest+".json"), other, 0o600))
		s := newStore(t, folder)
		_, err = s.Get(t.Context(), ref)
		require.ErrorContains(t, err, "other content", name)
		_, err = s.Put(t.Context(), "orders", "ledger", []byte("[1]"))
		require.NoError(t, err)
		_, err = newStore(t, folder).Get(t.Context(), ref)
		require.NoError(t, err, name)
	}
}

func TestAReferenceNamesNothingOutsideTheStore(t *testing.T) {
	s := newStore(t, t.TempDir())
	good := api.Reference{Kind: "k", Migration: "orders", Digest: string(bytes.Repeat([]byte("a"), 64)), Bytes: 1}
	require.NoError(t, good.Check())
	for _, change := range []func(*api.Reference){
		func(r *api.Reference) { r.Migration = "../secrets" },
		func(r *api.Reference) { r.Digest = "../../etc/passwd" },
		func(r *api.Reference) { r.Bytes = api.Largest + 1 },
		func(r *api.Reference) { r.Bytes = -1 },
	} {
		bad := good
		change(&bad)
		_, err := s.Get(t.Context(), bad)
		require.Error(t, err)
		var missing *MissingError
		assert.NotErrorAs(t, err, &missing, "it isn't even looked for")
	}
	_, err := s.Put(t.Context(), "../other", "k", nil)
	require.ErrorContains(t, err, "want a plan's name")
}

func TestAStoreThatDoesNotWorkSaysSo(t *testing.T) {
	gone := "file://" + filepath.Join(t.TempDir(), "not", "mounted")
	_, err := newStore(t, gone).Put(t.Context(), "orders", "k", []byte("1"))
	var unreachable *UnreachableError
	require.ErrorAs(t, err, &unreachable)
	assert.ErrorContains(t, err, gone)
	for _, where := range []string{"", "ftp://host/x", "://"} {
		_, err := New(where)
		assert.ErrorContains(t, err, Variable, where)
	}
	s, err := New("s3://bucket/?region=eu-central-1&endpoint=http://user:secret@10.0.0.1:9000")
	require.NoError(t, err)
	assert.Contains(t, s.String(), "s3://bucket")
}

func TestTheCacheIsBounded(t *testing.T) {
	var c cache
	big := make([]byte, kept/3)
	for _, name := range []string{"a", "b", "c", "d"} {
		c.put(name, big)
	}
	_, first := c.get("a")
	_, last := c.get("d")
	assert.False(t, first)
	assert.True(t, last)
	assert.LessOrEqual(t, c.bytes, kept)
	c.put("too big", make([]byte, kept+1))
	_, there := c.get("too big")
	assert.False(t, there)
}

func TestWhatAProgramRemembersIsWrittenAgainForTheOthers(t *testing.T) {
	folder := t.TempDir()
	mine := newStore(t, folder)
	ref, err := mine.Put(t.Context(), "orders", "topics", []byte("[1]"))
	require.NoError(t, err)
	require.NoError(t, os.RemoveAll(filepath.Join(folder, "orders")))
	again, err := mine.Put(t.Context(), "orders", "topics", []byte("[1]"))
	require.NoError(t, err)
	require.Equal(t, ref, again)
	_, err = newStore(t, folder).Get(t.Context(), ref)
	require.NoError(t, err)
}
