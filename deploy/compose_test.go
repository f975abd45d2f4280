// Package deploy checks the files for containers where no container engine is at hand.
package deploy

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"
)

type compose struct {
	Services map[string]struct {
		Image       string            `json:"image"`
		Build       string            `json:"build"`
		Command     []string          `json:"command"`
		Volumes     []string          `json:"volumes"`
		Ports       []string          `json:"ports"`
		DependsOn   []string          `json:"depends_on"`
		Environment map[string]string `json:"environment"`
		User        string            `json:"user"`
		Restart     string            `json:"restart"`
		Grace       string            `json:"stop_grace_period"`
	} `json:"services"`
	Volumes map[string]any `json:"volumes"`
}

func TestComposeFileNamesWhatExists(t *testing.T) {
	b, err := os.ReadFile("../docker-compose.yml")
	require.NoError(t, err)
	var c compose
	require.NoError(t, yaml.UnmarshalStrict(b, &c))
	for _, name := range []string{"temporal", "worker", "source-namesrv", "source-broker", "target-namesrv", "target-broker", "target-proxy"} {
		require.Contains(t, c.Services, name)
	}
	for name, s := range c.Services {
		require.True(t, (s.Image == "") != (s.Build == ""), "%s: an image or a build", name)
		require.NotContains(t, s.Image, ":latest", "%s: its image is pinned", name)
		require.True(t, s.Build != "" || strings.Contains(s.Image, ":"), "%s: its image has a tag", name)
		for _, other := range s.DependsOn {
			require.Contains(t, c.Services, other, "%s depends on it", name)
		}
		for _, v := range s.Volumes {
			from := strings.Split(v, ":")[0]
			if !strings.HasPrefix(from, "./") {
				require.Contains(t, c.Volumes, from, "%s mounts it", name)
				continue
			}
			_, err := os.Stat(filepath.Join("..", from))
			require.NoError(t, err, "%s mounts it", name)
		}
	}
	worker := c.Services["worker"]
	require.Equal(t, "temporal:7233", worker.Environment["TEMPORAL_ADDRESS"])
	grace, err := time.ParseDuration(worker.Grace)
	require.NoError(t, err)
	require.Greater(t, grace, 20*time.Second, "the worker ends in order within that")
	require.Contains(t, worker.Volumes, "worker:/data")
	require.True(t, strings.HasPrefix(worker.Environment["ROCKETSHIFT_STORE"], "/data/"), "workers of the service share their store")
}

func TestProxyConfigurationIsJSON(t *testing.T) {
	b, err := os.ReadFile("rmq-proxy.json")
	require.NoError(t, err)
	require.True(t, json.Valid(b))
}

func TestImageRunsStaticBinariesNotAsRoot(t *testing.T) {
	b, err := os.ReadFile("../Dockerfile")
	require.NoError(t, err)
	text := string(b)
	require.Contains(t, text, "CGO_ENABLED=0")
	last := text[strings.LastIndex(text, "\nFROM "):]
	require.Contains(t, last, "USER 65532:65532")
}
