package lab

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// localhost is the address that the servers advertise. They listen on all addresses; 4.9 can't do
// otherwise.
const localhost = "127.0.0.1"

func address(port int) string { return localhost + ":" + strconv.Itoa(port) }

// logback is a file that 4.9 needs to start: it sends all logs to standard output, which is the log
// file. 5.x has its own file, and writes below logs/ of the server's folder.
const logback = `<configuration>
  <appender name="out" class="ch.qos.logback.core.ConsoleAppender">
    <encoder><pattern>%d %-5level %logger{0} %thread - %msg%n</pattern></encoder>
  </appender>
  <logger name="RocketmqStoreStats" level="WARN"/>
  <logger name="RocketmqWaterMark" level="WARN"/>
  <root level="INFO"><appender-ref ref="out"/></root>
</configuration>
`

// writeConfig writes the files that the server reads, into its folder.
func (c *Cluster) writeConfig(s server) error {
	home := filepath.Join(c.Dir, s.Name)
	files := map[string]string{
		"conf/logback_namesrv.xml": logback,
		"conf/logback_broker.xml":  logback,
		"conf/logback_tools.xml":   logback,
	}
	if c.speaksTLS(s) {
		tls, err := certificate()
		if err != nil {
			return err
		}
		maps.Copy(files, tls)
	}
	switch s.Role {
	case roleNameServer:
		files[configFile(s)] = properties(map[string]string{
			"listenPort":   strconv.Itoa(s.Port),
			"kvConfigPath": filepath.Join(home, "kvConfig.json"),
		})
	case roleBroker:
		files[configFile(s)] = properties(c.brokerConfig(s))
		if admin := c.state.Spec.Admin; admin != nil {
			files["conf/plain_acl.yml"] = admin.acl1()
		}
	case roleProxy:
		config, err := json.MarshalIndent(c.proxyConfig(s), "", "  ")
		if err != nil {
			return fmt.Errorf("configuration of %s: %w", s.Name, err)
		}
		files[configFile(s)] = string(config)
	}
	for name, content := range files {
		if err := writeFile(filepath.Join(home, name), content); err != nil {
			return fmt.Errorf("configuration of %s: %w", s.Name, err)
		}
	}
	return nil
}

func configFile(s server) string {
	if s.Role == roleProxy {
		return "conf/rmq-proxy.json"
	}
	return "conf/server.conf"
}

func (c *Cluster) brokerConfig(s server) map[string]string {
	store := c.StoreDir(s.Name)
	config := map[string]string{
		"brokerClusterName":        c.state.Spec.Name,
		"brokerName":               s.Name,
		"brokerId":                 "0",
		"brokerIP1":                localhost,
		"brokerIP2":                localhost, // where slaves find it
		"listenPort":               strconv.Itoa(s.Port),
		"haListenPort":             strconv.Itoa(s.Port + 1), // 4.9 uses this port in any case
		"namesrvAddr":              strings.Join(c.NameServers, ","),
		"storePathRootDir":         store,
		"storePathCommitLog":       filepath.Join(store, "commitlog"),
		"brokerRole":               "ASYNC_MASTER",
		"flushDiskType":            "ASYNC_FLUSH",
		"autoCreateTopicEnable":    "true",
		"enablePropertyFilter":     "true",
		"transactionCheckInterval": "10000", // of open ones; a minute by default
		// Files are allocated as a whole; a batch of 4 MiB must fit into one.
		"mappedFileSizeCommitLog":    "67108864",
		"mappedFileSizeConsumeQueue": "1200000",
		"maxHashSlotNum":             "500000",
		"maxIndexNum":                "2000000",
		// The broker must not delete or refuse messages on a disk that other things have nearly
		// filled.
		"diskMaxUsedSpaceRatio": "95",
		// Machines that share few cores with all servers stall for longer than the default 200 ms
		// and 1 s, and the broker would answer "system busy".
		"waitTimeMillsInSendQueue":    "5000",
		"osPageCacheBusyTimeOutMills": "5000",
		// How soon a broker registers again when the name server is back; brokers accept 10 s and
		// more.
		"registerNameServerPeriod": "10000",
	}
	if s.SlaveOf != "" {
		config["brokerName"], config["brokerId"], config["brokerRole"] = s.SlaveOf, "1", "SLAVE"
	}
	if c.state.Spec.is5() {
		config["mappedFileSizeTimerLog"] = "4194304" // of 100 MB
		config["timerFlushIntervalMs"] = "600000"    // each flush writes 37 MB; by default there is one a second
		// For so many milliseconds after its start TransactionMetricsFlushService doesn't wait, but
		// turns; by default for 3 s.
		config["transactionMetricFlushInterval"] = "500"
	}
	if admin := c.state.Spec.Admin; admin != nil && c.state.Spec.is5() {
		maps.Copy(config, admin.acl2())
	} else if admin != nil {
		config["aclEnable"] = "true"
	}
	maps.Copy(config, c.state.Spec.Config)
	return config
}

func (c *Cluster) proxyConfig(s server) map[string]any {
	config := map[string]any{
		"rocketMQClusterName":         c.state.Spec.Name,
		"proxyMode":                   "CLUSTER",
		"namesrvAddr":                 strings.Join(c.NameServers, ";"),
		"localServeAddr":              localhost,
		"grpcServerPort":              s.GRPC,
		"remotingListenPort":          s.Port,
		"enableTopicMessageTypeCheck": true,
		"tlsTestModeEnable":           false,
		"tlsCertPath":                 filepath.Join(c.Dir, s.Name, certificateFile),
		"tlsKeyPath":                  filepath.Join(c.Dir, s.Name, keyFile),
	}
	if admin := c.state.Spec.Admin; admin != nil {
		maps.Copy(config, admin.acl2Proxy())
	}
	return config
}

// javaArgs is the server's command line.
func (c *Cluster) javaArgs(s server) ([]string, error) {
	classPath, err := c.state.Files.classPath(c.state.Spec.Version)
	if err != nil {
		return nil, err
	}
	home := filepath.Join(c.Dir, s.Name)
	config := filepath.Join(home, configFile(s))
	args := append([]string{c.state.Files.Java}, memory(s.Role, c.state.Spec.Heap)...)
	if !c.state.Spec.Compiled {
		args = append(args, "-XX:TieredStopAtLevel=1")
	}
	args = append(args, c.archiveArgs(s.Role)...)
	args = append(args, c.tlsArgs(s)...)
	args = append(args, reflection...)
	args = append(args,
		"-Drocketmq.home.dir="+home, // configuration, and 5.x writes its logs below user.home
		"-Duser.home="+home,
		"-XX:-UsePerfData",       // else a killed server leaves its counters in the system's folder
		"-Djava.io.tmpdir="+home, // else each start leaves certificates and libraries in the system's folder
		"-Drocketmq.broker.diskSpaceWarningLevelRatio=0.98",
		"-Drocketmq.broker.diskSpaceCleanForciblyRatio=0.97",
		"-cp", classPath)
	switch s.Role {
	case roleNameServer:
		return append(args, "org.apache.rocketmq.namesrv.NamesrvStartup", "-c", config), nil
	case roleBroker:
		return append(args, "org.apache.rocketmq.broker.BrokerStartup", "-c", config), nil
	default:
		return append(args, "org.apache.rocketmq.proxy.ProxyStartup", "-pc", config), nil
	}
}

// memory is small enough for several servers on one machine; the distribution's scripts ask for 8
// GB each.
func memory(r role, heap int) []string {
	if r == roleNameServer {
		return []string{"-XX:+UseSerialGC", "-Xms64m", "-Xmx256m", "-XX:MaxDirectMemorySize=256m"}
	}
	if heap > 0 {
		all := fmt.Sprint(heap, "m")
		return []string{"-XX:+UseZGC", "-Xms" + all, "-Xmx" + all, "-XX:MaxDirectMemorySize=1g"}
	}
	return []string{"-XX:+UseSerialGC", "-Xms128m", "-Xmx512m", "-XX:MaxDirectMemorySize=1g"}
}

// reflection opens packages that the servers need by reflection from Java 17 on. Without it they
// run, but can't delete a topic or an expired file.
var reflection = []string{
	"--add-opens", "java.base/java.nio=ALL-UNNAMED",
	"--add-opens", "java.base/sun.nio.ch=ALL-UNNAMED",
	"--add-opens", "java.base/jdk.internal.ref=ALL-UNNAMED",
	"--add-exports", "java.base/sun.nio.ch=ALL-UNNAMED",
	"--add-exports", "java.base/jdk.internal.ref=ALL-UNNAMED",
	"--add-exports", "java.base/sun.security.x509=ALL-UNNAMED",
}

func properties(values map[string]string) string {
	var text strings.Builder
	for _, key := range slices.Sorted(maps.Keys(values)) {
		fmt.Fprintf(&text, "%s=%s\n", key, values[key])
	}
	return text.String()
}

func writeFile(name, content string) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	return os.WriteFile(name, []byte(content), 0o644)
}
