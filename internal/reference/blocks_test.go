package reference

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBlocksOfAPageAreThoseOfALanguage(t *testing.T) {
	page := "Type\n\n```\nmake\nmake test\n```\nor\n\n```json\n{}\n```\n\n```text\nmake\n```\n```\nbin/x\n```\n"
	require.Equal(t, []string{"make\nmake test\n", "bin/x\n"}, Blocks(page, ""))
	require.Equal(t, []string{"{}\n"}, Blocks(page, "json"))
	require.Empty(t, Blocks(page, "yaml"))
}
