package rights

// User is an account of a cluster and what it may do. It holds no secret: a Secrets has those.
type User struct {
	// Name is ACL 1.0's accessKey, ACL 2.0's username.
	Name string `json:"name"`
	Type Type   `json:"type"`
	// Status is StatusEnabled on ACL 1.0, which knows no other.
	Status Status `json:"status"`
	// DefaultTopic and DefaultGroup are ACL 1.0's permissions for topics and groups without an own
	// right: DENY, PUB, SUB or PUB|SUB. ACL 2.0 has none: there they are rights with Default set.
	DefaultTopic Permission `json:"defaultTopicPerm,omitempty"`
	DefaultGroup Permission `json:"defaultGroupPerm,omitempty"`
	// Addresses is ACL 1.0's whiteRemoteAddress, as written: from there the user may do everything,
	// and its signature isn't checked. Empty on ACL 2.0.
	Addresses string `json:"whiteRemoteAddress,omitempty"`
	// Rights are in the order in which the cluster keeps them: ACL 2.0 of 5.3.3 decides by it where
	// entries overlap.
	Rights []Right `json:"rights,omitempty"`
}

// Type is what kind of user it is.
type Type string

// Types of users. A super user is ACL 1.0's admin; ACL 2.0 asks no rights of it.
const (
	Super  Type = "super"
	Normal Type = "normal"
)

// Status says whether a user may connect.
type Status string

// The states of users.
const (
	Enabled  Status = "enable"
	Disabled Status = "disable"
)

// Permission is one of ACL 1.0's.
type Permission string

// ACL 1.0's permissions. What is anything else, or absent, denies.
const (
	Deny   Permission = "DENY"
	Pub    Permission = "PUB"
	Sub    Permission = "SUB"
	PubSub Permission = "PUB|SUB"
)

// Right allows or denies actions on resources.
type Right struct {
	Resource Resource `json:"resource"`
	Actions  []Action `json:"actions"`
	Decision Decision `json:"decision"`
	// Sources are the addresses and CIDR ranges from which the right counts; none: from everywhere.
	Sources []string `json:"sourceIps,omitempty"`
	// Default puts the right into ACL 2.0's Default policy, which is asked where nothing of the
	// Custom policy matches resource, action and address.
	Default bool `json:"default,omitempty"`
}

// Resource is what a right is about.
type Resource struct {
	Kind    Kind    `json:"kind"`
	Pattern Pattern `json:"pattern"`
	Name    string  `json:"name,omitempty"` // of the resource, or what its name begins with
}

// Kind is what kind of resource it is.
type Kind string

// Kinds of resources. Any has no name.
const (
	AnyKind   Kind = "*"
	Topic     Kind = "Topic"
	Group     Kind = "Group"
	Cluster   Kind = "Cluster"
	Namespace Kind = "Namespace"
)

// Pattern is how names of resources are compared.
type Pattern string

// Patterns of names. ACL 1.0 knows only Literal.
const (
	Literal Pattern = "literal"
	Prefix  Pattern = "prefix"
	Any     Pattern = "any"
)

// Action is what is done with a resource.
type Action string

// Actions, as ACL 2.0 writes them. ACL 1.0 knows Pub and Sub.
const (
	All    Action = "All"
	Send   Action = "Pub"
	Read   Action = "Sub"
	Create Action = "Create"
	Update Action = "Update"
	Delete Action = "Delete"
	Get    Action = "Get"
	List   Action = "List"
)

// Decision is what a right says to the actions that it matches.
type Decision string

// The decisions.
const (
	Allow  Decision = "Allow"
	Refuse Decision = "Deny"
)

// TopicNamed is the topic of that name.
func TopicNamed(name string) Resource { return Resource{Topic, Literal, name} }

// GroupNamed is the consumer group of that name.
func GroupNamed(name string) Resource { return Resource{Group, Literal, name} }
