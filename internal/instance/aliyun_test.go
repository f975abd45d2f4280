package instance

import (
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rocketshift/internal/lab"
	"rocketshift/internal/lab/apsara"
	"rocketshift/internal/lab/labtest"
	"rocketshift/internal/secrets"
	"rocketshift/plan"
)

// atCloud is the provider of a worker that may use a simulated cloud.
func atCloud(t *testing.T, o apsara.Options) (Aliyun, *apsara.Cloud) {
	t.Helper()
	o.Keys = map[string]string{"lab-key-id": "lab-key-secret"}
	cloud := apsara.New(o)
	server := httptest.NewServer(cloud)
	t.Cleanup(func() {
		server.Close()
		require.NoError(t, cloud.Close())
	})
	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", "lab-key-id")
	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "lab-key-secret")
	t.Setenv("ALIBABA_CLOUD_SECURITY_TOKEN", "")
	store, err := secrets.New("ALIBABA_CLOUD="+strings.TrimPrefix(server.URL, "http://"), func(name string) string {
		return map[string]string{secrets.CloudAt: server.URL}[name]
	})
	require.NoError(t, err)
	return Aliyun{Secrets: store, pause: time.Millisecond, look: 10 * time.Millisecond}, cloud
}

func cloudPlan(name string) plan.Plan {
	return plan.Plan{Name: name, Target: plan.Target{Provider: plan.ProviderAliyun, Aliyun: &plan.Aliyun{
		Region: "cn-hangzhou", Specification: "rmq.s2.2xlarge", VPC: "vpc-lab", VSwitches: []string{"vsw-lab-a"},
	}}}
}

func TestAnInstanceOfTheCloudIsOneHoweverOftenItIsPurchased(t *testing.T) {
	provider, cloud := atCloud(t, apsara.Options{})
	require.Contains(t, provider.Price(testContext(t), cloudPlan("x")), "unknown: ")
	is := contract{provider: provider, plan: cloudPlan("x")}.holds(t)
	require.Equal(t, []string{is.Name}, cloud.Instances())
}

func TestAWorkerWhoseOwnerDoesNotAllowTheCloudBuysNothing(t *testing.T) {
	store, err := secrets.New("", func(string) string { return "" })
	require.NoError(t, err)
	_, err = Aliyun{Secrets: store}.Purchase(testContext(t), cloudPlan("x"))
	var denied *secrets.ForbiddenError
	require.ErrorAs(t, err, &denied)
	require.Contains(t, Aliyun{Secrets: store}.Price(testContext(t), cloudPlan("x")), "unknown: target.provider aliyun")
}

func TestLongAnInstanceOfTheCloudServesByTheProxyOfRealBrokers(t *testing.T) {
	labtest.NeedsServers(t)
	root, err := lab.Root()
	require.NoError(t, err)
	files, err := lab.FindFiles(root)
	require.NoError(t, err)
	servers := &apsara.Lab{Files: files, Dir: t.TempDir()}
	provider, cloud := atCloud(t, apsara.Options{Servers: servers})
	var mu sync.Mutex // callers at the same time are told at the same time
	var said []string
	provider.Said = func(text string) {
		mu.Lock()
		defer mu.Unlock()
		said = append(said, text)
	}
	is := contract{provider: provider, plan: cloudPlan("x")}.holds(t)
	require.Contains(t, strings.Join(said, "\n"), "is CREATING, after ")
	require.Equal(t, []string{is.Name}, cloud.Instances())
	require.Equal(t, []string{servers.Cluster(is.Name).ProxyRemoting}, is.NameServers)
	requireListens(t, is.NameServers...)

	// What rocketshift sees there is what it sees behind any proxy.
	behind := plan.Plan{Name: "x", Target: plan.Target{Provider: plan.ProviderExisting, Proxy: is.NameServers[0]}}
	found, there, err := existingWith(t, "", nil).Describe(testContext(t), behind)
	require.NoError(t, err)
	require.True(t, there)
	require.Equal(t, "apsara-"+is.Name, found.Cluster)
}
