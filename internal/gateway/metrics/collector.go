package metrics

import "github.com/prometheus/client_golang/prometheus"

// Now is how a gateway stands, as it knows it without counting.
type Now struct {
	Epoch       int64
	Sessions    int
	Homes       [2]int // queues, by Side
	Views       [2]int // pairs of a group and a queue, by the Side that the group reads
	OnTarget    bool   // the target says who members are
	InDoubt     bool
	Fenced      bool
	Panics      int64
	Signatures  int64            // that were refused
	StateErrors int64            // writes of the state that failed
	Reached     map[string]int64 // bounds of what clients may take, by name: how often one came up against each
	MemoryLimit int64            // bytes to give out
	MemoryFixed int64            // that connections, queues and views take of these
	MemoryHeld  int64            // that frames, open calls, heartbeats and waiting requests take
	Waiting     int64            // connections that wait for memory
	Kept        map[string]int64 // connections that a gateway which was killed has left, by what became of them
}

// Collector tells counts and how the gateway stands.
type Collector struct {
	counts *Counts
	now    func() Now
}

// NewCollector tells counts, and what now returns.
func NewCollector(counts *Counts, now func() Now) Collector { return Collector{counts, now} }

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("rocketshift_gateway_"+name, help, labels, nil)
}

var (
	movesDesc = describe("moves_total", "Moves that this gateway led.", "kind", "result")
	holdsDesc = describe("hold_seconds",
		"How long sends or pulls waited here, for each round of a move.", "kind")
	heldSendsDesc = describe("held_sends", "Sends that wait now for a move's end.")
	heldPullsDesc = describe("held_pulls", "Pulls that wait now for a move's end.")
	sendsDesc     = describe("send_seconds",
		"How long a side's brokers took to answer sends, without what waited for a move.", "side")
	requestsDesc = describe("requests_total", "Requests of clients.", "class")
	inDesc       = describe("request_bytes_total", "Bytes of clients' requests.", "class")
	outDesc      = describe("answer_bytes_total",
		"Bytes of servers' answers, by the class of the request.", "class")
	boundsDesc = describe("bounds_reached_total",
		"How often clients reached a bound of what they may take.", "bound")
	memoryLimitDesc = describe("memory_limit_bytes", "Memory that is given out to clients at most.")
	memoryFixedDesc = describe("memory_fixed_bytes",
		"Of that, what connections, queues and groups' views take by themselves.")
	memoryHeldDesc = describe("memory_held_bytes",
		"Of that, what frames, open calls, heartbeats and waiting requests take.")
	memoryWaitingDesc = describe("memory_waiting", "Connections that wait for memory.")
	sessionsDesc      = describe("sessions", "Connections of clients.")
	upstreamsDesc     = describe("upstreams",
		"Connections to brokers and name servers for clients.")
	panicsDesc = describe("panics_total",
		"Faults of the gateway that ended a client's connection.")
	signaturesDesc = describe("signatures_refused_total",
		"Requests with a signature that is wrong.")
	stateDesc = describe("state_write_errors_total",
		"Writes of the gateway's state to disk that failed.")
	epochDesc = describe("epoch",
		"Moves that were done in the migration; all its gateways have the same.")
	keptDesc = describe("kept_connections_total", "Connections that a gateway which was killed "+
		"had left to its keeper when this one began, by what became of them.", "result")
	fencedDesc = describe("fenced",
		"1 while no broker of either side renews the gateway's lease; sends to ordered topics "+
			"are refused.")
	doubtDesc = describe("in_doubt",
		"1 while it isn't known whether the last move was decided; sends to its ordered topics "+
			"are refused.")
	homesDesc = describe("homes",
		"Queues by the side on which their messages are stored.", "side")
	viewsDesc = describe("views",
		"Pairs of a group and a queue by the side that the group reads.", "side")
	authorityDesc = describe("authority_on_target",
		"1 while the target says who a group's members are.")
)

// Describe implements prometheus.Collector.
func (c Collector) Describe(out chan<- *prometheus.Desc) { prometheus.DescribeByCollect(c, out) }

// Collect implements prometheus.Collector.
func (c Collector) Collect(out chan<- prometheus.Metric) {
	c.collectCounts(out)
	now := c.now()
	for desc, value := range map[*prometheus.Desc]int64{
		heldSendsDesc: c.counts.HeldSends.Load(), heldPullsDesc: c.counts.HeldPulls.Load(),
		memoryLimitDesc: now.MemoryLimit, memoryFixedDesc: now.MemoryFixed, memoryHeldDesc: now.MemoryHeld,
		memoryWaitingDesc: now.Waiting, upstreamsDesc: c.counts.Upstreams.Load(),
		sessionsDesc: int64(now.Sessions), epochDesc: now.Epoch, fencedDesc: one(now.Fenced),
		doubtDesc: one(now.InDoubt), authorityDesc: one(now.OnTarget),
	} {
		gauge(out, desc, value)
	}
	for desc, value := range map[*prometheus.Desc]int64{
		panicsDesc: now.Panics, signaturesDesc: now.Signatures, stateDesc: now.StateErrors,
	} {
		counter(out, desc, value)
	}
	for name, n := range now.Reached {
		counter(out, boundsDesc, n, name)
	}
	for result, n := range now.Kept {
		counter(out, keptDesc, n, result)
	}
	for i, name := range sideNames {
		gauge(out, homesDesc, int64(now.Homes[i]), name)
		gauge(out, viewsDesc, int64(now.Views[i]), name)
	}
}

func (c Collector) collectCounts(out chan<- prometheus.Metric) {
	for i, name := range sideNames {
		out <- c.counts.Sends[i].metric(sendsDesc, name)
	}
	for i, name := range classNames {
		of := &c.counts.classes[i]
		counter(out, requestsDesc, of.requests.Load(), name)
		counter(out, inDesc, of.in.Load(), name)
		counter(out, outDesc, of.out.Load(), name)
	}
	for k, kind := range kindNames {
		if Kind(k) != otherKind { // nothing waits for what is refused
			out <- c.counts.holds[k].metric(holdsDesc, kind)
		}
		for r, result := range resultNames {
			counter(out, movesDesc, c.counts.moves[k][r].Load(), kind, result)
		}
	}
}

func gauge(out chan<- prometheus.Metric, desc *prometheus.Desc, value int64, labels ...string) {
	out <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, float64(value), labels...)
}

func counter(out chan<- prometheus.Metric, desc *prometheus.Desc, value int64, labels ...string) {
	out <- prometheus.MustNewConstMetric(desc, prometheus.CounterValue, float64(value), labels...)
}

func one(is bool) int64 {
	if is {
		return 1
	}
	return 0
}
