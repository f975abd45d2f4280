package message

import (
	"go.temporal.io/sdk/workflow"
)

// Message is what people, or other workflows, tell a workflow while it runs. By an update its
// sender gets an answer, and a refusal leaves no trace in the history. By a signal it comes from
// tools that only signal, and when no worker is there to answer; what an update would refuse is
// noted then. said is what it says, answer what its sender gets.
type Message[said, answer any] struct {
	Name string // of the update and of the signal
	// Description is what the Web UI says of the update; without one there is only the signal.
	Description string
	// Check says why it can't be taken; without one everything is.
	Check func(workflow.Context, said) error
	// Take does what it says.
	Take func(workflow.Context, said) (answer, error)
	// Signalled is told what became of a signal.
	Signalled func(workflow.Context, said, error)
}

// Taker is a workflow that is told something.
type Taker interface {
	// TakeSignal does what a signal says, and notes why it can't be done.
	TakeSignal(ctx workflow.Context, take func(workflow.Context) error)
}

// Handler is a message, whatever it says.
type Handler interface {
	update(workflow.Context) error
	listen(workflow.Context, Taker)
}

// Register registers messages for the life of the workflow.
func Register(ctx workflow.Context, to Taker, messages ...Handler) error {
	for _, m := range messages {
		if err := m.update(ctx); err != nil {
			return err
		}
	}
	for _, m := range messages {
		m.listen(ctx, to)
	}
	return nil
}

func (m Message[said, answer]) update(ctx workflow.Context) error {
	if m.Description == "" {
		return nil
	}
	return workflow.SetUpdateHandlerWithOptions(ctx, m.Name, m.Take, workflow.UpdateHandlerOptions{
		Validator: m.Check, Description: m.Description,
	})
}

// listen receives the signal for the life of the workflow.
func (m Message[said, answer]) listen(ctx workflow.Context, to Taker) {
	channel := workflow.GetSignalChannel(ctx, m.Name)
	workflow.GoNamed(ctx, "signal "+m.Name, func(ctx workflow.Context) {
		for {
			var s said
			if !channel.Receive(ctx, &s) {
				return
			}
			to.TakeSignal(ctx, func(ctx workflow.Context) error {
				err := m.judgeAndTake(ctx, s)
				if m.Signalled != nil {
					m.Signalled(ctx, s, err)
				}
				return err
			})
		}
	})
}

func (m Message[said, answer]) judgeAndTake(ctx workflow.Context, s said) error {
	if m.Check != nil {
		if err := Judged(ctx, func() error { return m.Check(ctx, s) }); err != nil {
			return err
		}
	}
	_, err := m.Take(ctx, s)
	return err
}

// NoAnswer is a message that comes as a signal alone.
func NoAnswer[said any](name string, take func(workflow.Context, said) error) Handler {
	return Message[said, struct{}]{Name: name, Take: func(ctx workflow.Context, s said) (struct{}, error) {
		return struct{}{}, take(ctx, s)
	}}
}
