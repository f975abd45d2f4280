package logs

import "log/slog"

// NotTaken counts clients that aren't taken over from before: there may be thousands.
type NotTaken struct {
	clients int
	first   string
	cause   error
}

// Note counts a client.
func (n *NotTaken) Note(client string, cause error) {
	if n.clients++; n.clients == 1 {
		n.first, n.cause = client, cause
	}
}

// Say says how many there were.
func (n *NotTaken) Say(log *slog.Logger, what string) {
	if n.clients > 0 {
		log.Warn(what, "clients", n.clients, "first", n.first, "cause", n.cause)
	}
}
