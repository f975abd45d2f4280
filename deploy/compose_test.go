// Package deploy checks the files for containers where no container engine is at hand, and the
// programs that they run.
package deploy

import (
	"encoding/json"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"rocketshift/internal/secrets"
	"rocketshift/plan"
)

type compose struct {
	Services map[string]service `json:"services"`
	Volumes  map[string]any     `json:"volumes"`
}

type service struct {
	Image string `json:"image"`
	Build *struct {
		Context string `json:"context"`
		Target  string `json:"target"`
	} `json:"build"`
	Command     []string          `json:"command"`
	Volumes     []string          `json:"volumes"`
	Ports       []string          `json:"ports"`
	DependsOn   []string          `json:"depends_on"`
	Environment map[string]string `json:"environment"`
	User        string            `json:"user"`
	Restart     string            `json:"restart"`
	Grace       string            `json:"stop_grace_period"`
	Health      *struct {
		Test     []string `json:"test"`
		Interval string   `json:"interval"`
	} `json:"healthcheck"`
}

func readCompose(t *testing.T) compose {
	t.Helper()
	b, err := os.ReadFile("../docker-compose.yml")
	require.NoError(t, err)
	var c compose
	require.NoError(t, yaml.UnmarshalStrict(b, &c))
	return c
}

func TestComposeFileNamesWhatExists(t *testing.T) {
	c := readCompose(t)
	for _, name := range []string{
		"temporal", "worker", "gateway", "source-namesrv", "source-broker", "target-namesrv", "target-broker",
		"target-proxy",
	} {
		require.Contains(t, c.Services, name)
	}
	for name, s := range c.Services {
		require.True(t, (s.Image == "") != (s.Build == nil), "%s: an image or a build", name)
		require.NotContains(t, s.Image, ":latest", "%s: its image is pinned", name)
		require.True(t, s.Build != nil || strings.Contains(s.Image, ":"), "%s: its image has a tag", name)
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
	require.True(t, strings.HasPrefix(worker.Environment["ROCKETSHIFT_STORE"], "/data/"),
		"workers of the service share their store")
}

func TestServicesThatAreBuiltHaveTheirImageAndWhatTheyAreTold(t *testing.T) {
	images := readDockerfile(t)
	built := 0
	for name, s := range readCompose(t).Services {
		if s.Build == nil {
			continue
		}
		built++
		require.Equal(t, ".", s.Build.Context, name)
		require.Contains(t, images, s.Build.Target, "%s: the Dockerfile has that image", name)
		image := images[s.Build.Target]
		help := said(t, folderOf(t, image.entry), "--help")
		for _, word := range s.Command {
			if strings.HasPrefix(word, "--") {
				require.Regexp(t, `(?m)^ +(-\w, )?`+word+`\b`, help, "%s is told %s", image.entry, word)
			}
		}
		for _, environment := range []map[string]string{s.Environment, image.environment} {
			for variable := range environment {
				require.True(t, image.knows(t, variable), "%s is given %s, which no program of its image knows",
					name, variable)
			}
		}
	}
	require.Equal(t, 2, built, "worker and gateway")
}

// Ports of a container are those that people know from the docs.
func TestPortsOfContainersAreThoseOfTheDefaults(t *testing.T) {
	images, gateway := readDockerfile(t), readCompose(t).Services["gateway"]
	help := said(t, "gateway", "--help")
	for _, flag := range []string{"control", "metrics", "name-server-port"} {
		usual := regexp.MustCompile(`(?m)--` + flag + ` .*\(default "?(?:[\d.]+:)?(\d+)"?\)$`).FindStringSubmatch(help)
		require.NotNil(t, usual, "the default of --%s", flag)
		at := slices.Index(gateway.Command, "--"+flag)
		require.GreaterOrEqual(t, at, 0, flag)
		port := gateway.Command[at+1]
		if _, only, err := net.SplitHostPort(port); err == nil {
			port = only
		}
		require.Equal(t, usual[1], port, flag)
		require.Contains(t, images["gateway"].ports, port, "EXPOSE of the gateway's image")
	}
	_, port, err := net.SplitHostPort(images["worker"].environment["ROCKETSHIFT_METRICS"])
	require.NoError(t, err)
	require.Contains(t, said(t, "worker", "--help"), "default 127.0.0.1:"+port)
	require.Equal(t, []string{port}, images["worker"].ports)
}

// The endpoints are the gateway's of its API, and the worker's of its code.
func TestHealthChecksAskWhatIsThere(t *testing.T) {
	api, err := os.ReadFile("../docs/reference/gateway-api.yaml")
	require.NoError(t, err)
	metrics, err := os.ReadFile("../worker/metrics.go")
	require.NoError(t, err)
	for name, c := range map[string]struct{ known, form, port string }{
		"gateway": {string(api), "\n  %s:", "9465"}, // in plain HTTP, and without a token
		"worker":  {string(metrics), `mux.Handle("%s"`, "9464"},
	} {
		health := readCompose(t).Services[name].Health
		require.NotNil(t, health, name)
		require.Equal(t, []string{"CMD", "wget", "-q", "-O", "/dev/null"}, health.Test[:5], "wget is what alpine has")
		at, err := url.Parse(health.Test[5])
		require.NoError(t, err)
		require.Equal(t, "127.0.0.1:"+c.port, at.Host, name)
		require.Contains(t, c.known, strings.Replace(c.form, "%s", at.Path, 1), name)
	}
}

// The plan's hosts are services, and the worker may send its token to the gateway.
func TestThePlanFitsTheComposeFile(t *testing.T) {
	text, err := os.ReadFile("plan.yaml")
	require.NoError(t, err)
	document, err := yaml.YAMLToJSON(text)
	require.NoError(t, err)
	p, err := plan.Parse(document)
	require.NoError(t, err)
	require.NoError(t, p.WithDefaults().Validate())
	c := readCompose(t)
	for _, address := range slices.Concat(p.Source.NameServers, p.Target.NameServers, p.Traffic.Gateways) {
		host, _, err := net.SplitHostPort(address)
		require.NoError(t, err)
		require.Contains(t, c.Services, host)
	}
	gateway, worker := c.Services["gateway"], c.Services["worker"]
	require.Equal(t, p.Source.NameServers[0], gateway.Command[slices.Index(gateway.Command, "--source")+1])
	variable := strings.TrimSuffix(p.Traffic.GatewayToken(), "_TOKEN") + "_TOKEN"
	require.Equal(t, gateway.Environment[variable], worker.Environment[variable], "both have the same token")
	token := regexp.MustCompile(`:-(.*)}$`).FindStringSubmatch(worker.Environment[variable])
	require.NotNil(t, token)
	require.GreaterOrEqual(t, len(token[1]), 16, "the gateway takes no shorter one")
	store, err := secrets.New(worker.Environment[secrets.Variable], func(string) string { return token[1] })
	require.NoError(t, err)
	_, err = store.Gateways(p.Traffic)
	require.NoError(t, err)
	require.Contains(t, gateway.Command, "--control-insecure", "its network is this file's own")
	require.Empty(t, gateway.Ports, "nobody outside reaches it, so that plain HTTP will do")
}

func TestProxyConfigurationIsJSON(t *testing.T) {
	b, err := os.ReadFile("rmq-proxy.json")
	require.NoError(t, err)
	require.True(t, json.Valid(b))
}
