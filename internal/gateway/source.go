package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"rocketshift/internal/files"
	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/store"
	"rocketshift/internal/rocketmq"
)

// Homes and groups are of one source's queues, and brokers of many clusters have the same names. So
// a gateway keeps the name servers that it was started with beside its state, in a file of its own
// that older releases leave alone.

// savedSource is what that file holds.
type savedSource struct {
	NameServers []string `json:"nameServers"`
}

func sourceIn(dir string) string { return filepath.Join(dir, "source.json") }

// readSource are the name servers of the source of before; none where a release before this one has
// written the state.
func readSource(dir string) (s savedSource, err error) {
	text, err := os.ReadFile(sourceIn(dir))
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &s)
	}
	if err == nil && len(s.NameServers) == 0 {
		err = errors.New("it holds no name servers")
	}
	if err != nil {
		return s, fmt.Errorf("gateway: of which source its state is can't be read from %s: %w", sourceIn(dir), err)
	}
	return s, nil
}

// keepSource writes the name servers of this process. That it can't be written is said: it is as if
// a release before this one had written the state.
func (g *Gateway) keepSource() {
	text, err := json.Marshal(savedSource{g.config.NameServers})
	if err == nil {
		err = files.Replace(sourceIn(g.config.Dir), text, 0o600)
	}
	if err != nil {
		g.log.Warn("of which source the state is can't be kept: another --source isn't noticed at the next start",
			"file", sourceIn(g.config.Dir), "cause", err)
	}
}

// sameSource refuses to begin before another source than the state is of, while anything in it is
// of queues of the source. Other name servers than before are believed when they know the brokers
// at addresses where these were seen.
func (g *Gateway) sameSource(ctx context.Context, kept store.State) error {
	if !kept.Away() {
		return nil
	}
	before, err := readSource(g.config.Dir)
	if err != nil || len(before.NameServers) == 0 || sameSet(before.NameServers, g.config.NameServers) {
		return err
	}
	why := func(format string, args ...any) error {
		return fmt.Errorf(
			"gateway: the source's name servers are %v, and those of its state in %s are %v: %s; homes, "+
				"groups or a move "+
				"are on record there: move them back first, or start it with the name servers of before",
			g.config.NameServers,
			g.state.Path,
			before.NameServers,
			fmt.Sprintf(format, args...),
		)
	}
	nodes, err := g.sides.Source.Nodes(ctx)
	if err != nil {
		return why("whether it is the same isn't known: %v", err)
	}
	known := kept.Brokers[routing.Source.String()]
	for _, name := range routing.SortedKeys(mastersOf(known)) {
		i := slices.IndexFunc(nodes, func(n rocketmq.Node) bool { return n.Name == name && n.ID == 0 })
		if i < 0 {
			return why("no broker %s is there", name)
		}
		if at := rocketmq.ServerOf(nodes[i].Addr); !slices.Contains(known[name], at) {
			return why("broker %s is at %s, and was at %v", name, at, known[name])
		}
	}
	return nil
}

func sameSet(a, b []string) bool {
	return slices.Equal(control.Distinct(slices.Clone(a)), control.Distinct(slices.Clone(b)))
}
