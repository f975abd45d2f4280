package fault

// Kind tells errors apart. People see these names.
type Kind string

const (
	// KindNotReady says that something measured isn't so yet; the text has the counts and the worst
	// object. Tried again.
	KindNotReady Kind = "NotReady"
	// KindSourceUnreachable and KindTargetUnreachable say that a side doesn't answer. Tried again
	// for as long as it takes.
	KindSourceUnreachable Kind = "SourceUnreachable"
	KindTargetUnreachable Kind = "TargetUnreachable" // see there
	// KindAccessDenied says that a side refuses the credentials. Tried again slowly: somebody may
	// grant them.
	KindAccessDenied Kind = "AccessDenied"
	// KindConflict says that an object exists on the target with other settings. Not tried again: a
	// person decides.
	KindConflict Kind = "Conflict"
	// KindRefused says that the request can't be done as the clusters are. Not tried again.
	KindRefused Kind = "Refused"
	// KindBypassed says that applications hold up a move by gateways, as they reach brokers without
	// one. Tried again while it is those alone that people were asked for.
	KindBypassed Kind = "Bypassed"
	// KindForbidden says that the plan asks for a secret of the worker to be used with a host that
	// the worker's own configuration doesn't name. Not tried again: a person corrects either.
	KindForbidden Kind = "Forbidden"
	// KindInvalid says that the request itself is wrong. Not tried again.
	KindInvalid Kind = "Invalid"
	// KindCallFailed says that a server answered a call with an error, or with what can't be read.
	// Tried again: most pass.
	KindCallFailed Kind = "CallFailed"
	// KindNotTaken says that a broker acknowledged a write and didn't take it. Tried again.
	KindNotTaken Kind = "NotTaken"
	// KindDocumentMissing says that a document isn't in the store, KindStoreUnreachable that the
	// store doesn't work. Tried again: another worker may have it, or somebody mends it.
	KindDocumentMissing  Kind = "DocumentMissing"
	KindStoreUnreachable Kind = "StoreUnreachable" // see there
)
