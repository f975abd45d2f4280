package findings

// Clients.
const (
	ProducersUntold ID = "producers-untold"
	VIPClients      ID = "vip-clients"
	ClientHTTP      ID = "client-http"
	ClientTooOld    ID = "client-too-old"
	ClientTrace     ID = "client-trace"
	SDKFeature      ID = "sdk-feature"
	ClientsUnseen   ID = "clients-unseen"
)

func clientEntries() []Entry {
	return []Entry{
		{
			ProducersUntold, warning, "brokers don't tell who produces",
			"a producer that nobody knows of goes on writing to the source",
			"know yourself which applications write; the ledger has a row for each such broker",
		},
		{
			VIPClients, warning, "clients send at the port 2 below a broker's (VIP channel)",
			"a 5.x proxy listens at no such port: all that they send there fails",
			"run them with -Dcom.rocketmq.sendMessageWithVIPChannel=false, or with a newer client",
		},
		{
			ClientHTTP, refusal, "clients of a protocol that 5.x doesn't speak",
			"5.x has no HTTP and no gRPC v1 (ONS HTTP SDK, ONS TCP 2.x SDK): such clients can't follow",
			"move them to the 5.x gRPC SDK or a remoting SDK first, or postpone the migration",
		},
		{
			ClientTooOld, warning, "clients older than what is known to work",
			"5.x proxies answer only requests that name the broker, as SDKs from 4.9.5 on do; SDKs before 4.4.0 were not tried",
			"bring them to 4.9.5 or later before they get the target's address",
		},
		{
			ClientTrace, warning, "message traces of SDKs before 4.5.2",
			"5.x doesn't show them", "bring these clients to 4.5.2 or later if their traces are needed",
		},
		{
			SDKFeature, advice, "a group uses what an SDK for 5.x lacks",
			"the 5.x gRPC SDK has no broadcasting and no stream consumption; remoting SDKs of 4.x and 5.x have both",
			"let these groups stay on a remoting SDK",
		},
		{
			ClientsUnseen, advice, "clients that brokers can't tell of",
			"ApsaraMQ 4.x has proxies for its ONS HTTP SDK and its ONS TCP 2.x SDK (gRPC v1), and 5.x speaks neither: their " +
				"clients can't follow, and an assessment of brokers doesn't see them",
			"look in the console's groups for those of type HTTP and for connections of ONS TCP 2.x; write what is there " +
				"into the file of --seen, with HTTP or GRPC_V1 as language (docs/first-hour.md), and assess again",
		},
	}
}
