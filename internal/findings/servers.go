package findings

// Servers: clocks, versions and addresses.
const (
	ClockSkew        ID = "clock-skew"
	SourceTooOld     ID = "source-too-old"
	VersionsMixed    ID = "versions-mixed"
	TargetFeatureOff ID = "target-feature-off"
	BrokerAddress    ID = "broker-address"
)

func serverEntries() []Entry {
	return []Entry{
		{
			ClockSkew, warning, "clocks differ",
			"delayed messages come at other times, messages are kept shorter or longer, and consumers that start by " +
				"timestamp start elsewhere",
			"let all brokers, and the machine of rocketshift, keep time by NTP",
		},
		{
			SourceTooOld, refusal, "a broker of the source is older than any that rocketshift knows",
			"how it answers isn't known, so nothing that it says can be relied on",
			"bring the source to 4.3.0 or later first",
		},
		{
			VersionsMixed, warning, "servers of one side run different versions",
			"what holds depends on which server is asked, and routes of a name server that is older than its brokers " +
				"may lack what they say",
			"bring all servers of that side to one version, name servers first",
		},
		{
			TargetFeatureOff, advice, "a feature of 5.x is switched off on the target",
			"delays by level work as before; delays of any length, as 5.x clients ask for them, don't",
			"set timerWheelEnable=true on the target's brokers if applications are to use it",
		},
		{
			BrokerAddress, refusal, "a broker advertises an address that doesn't lead to it from here",
			"neither rocketshift nor applications that are outside of its network reach it (NAT, Kubernetes)",
			"say in source.addresses or target.addresses where it is reached, or run the worker in the brokers' network",
		},
	}
}
