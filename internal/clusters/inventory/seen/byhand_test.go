package seen

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/reference"
)

// The first hour's page shows a file that people write themselves.
func TestTheFileThatThePageShowsIsRead(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(reference.Root(t), "docs", "first-hour.md"))
	require.NoError(t, err)
	_, text, found := strings.Cut(string(page), "```json\n")
	require.True(t, found)
	text, _, _ = strings.Cut(text, "```")
	path := filepath.Join(t.TempDir(), "seen.json")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	f, err := Open(path, []string{"10.0.0.1:9876"})
	require.NoError(t, err)
	require.Len(t, f.Facts().Clients, 1)
	assert.Equal(t, "GRPC_V1", f.Facts().Clients[0].Language)
}
