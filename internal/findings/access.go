package findings

import "rocketshift/api"

// Who may do what, and who gets which queues.
const (
	WhiteList      ID = "acl-white-list"
	AccountsUntold ID = "acl-untold"
	TargetOpen     ID = "target-open"
	InstanceNames  ID = "instance-names"
	Allocation     ID = "allocation"
)

func accessEntries() []Entry {
	return []Entry{
		{
			WhiteList, warning, "clients are let in by their address, without a key",
			"ACL 2.0 of 5.x knows no such list: addresses restrict users there, and every client signs",
			"give such clients access keys before they move, and the target their accounts",
		},
		{
			AccountsUntold, warning, "a broker doesn't tell its accounts",
			"what they may do can't be brought to the target from there (4.9.8 and later tell none)",
			"bring them from the broker's files, plain_acl.yml and conf/acl",
		},
		{
			TargetOpen, warning, "the target lets everybody in, and the source doesn't",
			"whoever reaches the target reads and writes everything",
			"switch on authenticationEnabled and authorizationEnabled on its brokers before applications move",
		},
		{
			InstanceNames, warning, "names have an instance of ApsaraMQ 4.x before them",
			"instances of 5.x have no such names, and RAM policies guard no data there; clients that are given the " +
				"instance's id add it by themselves",
			"give them their names without it on the target (target.rename), and take the instance's id out of clients' " +
				"settings when they move",
		},
		{
			Allocation,
			[]api.Severity{api.SeverityWarning, api.SeverityAdvice},
			"members deal queues by names of brokers, machine rooms or a class of their own",
			"brokers of the target have other names: queues may be dealt to nobody, or to two members",
			"let the class know the target's brokers before the group moves, or use AllocateMessageQueueAveragely",
		},
	}
}
