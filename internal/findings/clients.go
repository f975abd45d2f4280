package findings

// Clients.
const (
	ProducersUntold ID = "producers-untold"
	VIPClients      ID = "vip-clients"
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
	}
}
