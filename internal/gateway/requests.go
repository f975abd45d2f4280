package gateway

import (
	"rocketshift/internal/gateway/bodies"
	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/rocketmq/remoting"
)

func sends(code int) bool {
	return code == remoting.CodeSendV2 || code == remoting.CodeSend || code == remoting.CodeSendBatch
}

func isPull(code int) bool { return code == remoting.CodePull || code == remoting.CodeLitePull }

// pushedByTarget are requests of target brokers that clients can answer as if the source had asked.
// Others are refused: positions are reset on the source.
func pushedByTarget(code int) bool {
	switch code {
	case remoting.CodeCheckTransaction,
		remoting.CodeNotifyMembers,
		remoting.CodeRunningInfo,
		remoting.CodeConsumeDirectly,
		remoting.CodePushReply:
		return true
	}
	return false
}

// request takes what a client sends.
func (s *session) request(f *wire.Frame) {
	if !f.Response() {
		s.gateway.figures.counts.Request(classOf(f.Code), len(f.Bytes()))
	}
	s.handle(f)
}

// handle goes on with what a client has sent, at once or after it has waited.
func (s *session) handle(f *wire.Frame) {
	switch {
	case f.Response():
		s.answered(f)
		return
	case s.port.names:
		s.askNames(f)
		return
	case !s.verify(f), !s.plain(f), !s.theirs(f):
		return
	}
	switch f.Code {
	case remoting.CodeSendV2, remoting.CodeSend, remoting.CodeSendBatch:
		s.send(f, nil)
	case remoting.CodePull, remoting.CodeLitePull:
		s.pull(f)
	case remoting.CodeQueryOffset:
		s.queryOffset(f)
	case remoting.CodeUpdateOffset:
		s.updateOffset(f)
	case remoting.CodeMaxOffset, remoting.CodeMinOffset:
		s.askBound(f)
	case remoting.CodeMembers:
		s.members(f)
	case remoting.CodeLock, remoting.CodeUnlock:
		s.lock(f)
	case remoting.CodeHeartbeat:
		s.heartbeat(f)
	case remoting.CodeUnregister:
		s.unregister(f)
	case remoting.CodeSendBack, remoting.CodeViewMessage:
		s.byCommitLog(f, "offset")
	case remoting.CodeEndTransaction:
		s.byCommitLog(f, "commitLogOffset")
	case remoting.CodeReply, remoting.CodeReplyV2:
		s.sendReply(f)
	default:
		s.pass(f)
	}
}

// theirs refuses requests that name the lanes' group, or one that is named after it, whatever they
// are: by its positions and locks, lanes and gateways know what was copied, who holds a lease, and
// what was decided.
func (s *session) theirs(f *wire.Frame) bool {
	ours := false
	switch f.Code {
	case remoting.CodePull,
		remoting.CodeLitePull,
		remoting.CodeQueryOffset,
		remoting.CodeUpdateOffset,
		remoting.CodeMembers:
		ours = s.gateway.sides.Ours(string(f.Text("consumerGroup")))
	case remoting.CodeLock, remoting.CodeUnlock:
		var body bodies.LockBody
		var err error
		took, ok := s.readBody(f, func() { body, err = bodies.ParseLock(f.Body) })
		if !ok {
			return false
		}
		s.memory.Give(took)
		if err != nil {
			s.refuse(f, remoting.SystemError, "queues to lock that aren't understood: "+err.Error())
			return false
		}
		ours = s.gateway.sides.Ours(body.Group)
	case remoting.CodeSendV2, remoting.CodeSend, remoting.CodeSendBatch:
		ours = s.gateway.sides.Ours(string(f.Text(producerField(f.Code))))
	case remoting.CodeHeartbeat: // it is read later
	default:
		return !s.namesOurs(f)
	}
	if ours {
		s.refuse(f, remoting.NoPermission, laneGroup)
	}
	return !ours
}

// pass sends a request to the source as it is.
func (s *session) pass(f *wire.Frame) { s.forward(f, s.port.Dest, call{}) }

// plain refuses a request with an odd number.
func (s *session) plain(f *wire.Frame) bool {
	err := bodies.OddNumber(f, bodies.NumbersOf(f.Code))
	if err != nil {
		s.refuse(f, remoting.SystemError, err.Error())
	}
	return err == nil
}

// takes takes memory for a request, or refuses it.
func (s *session) takes(f *wire.Frame, bytes int) bool {
	s.flush()
	if err := s.memory.Take(bytes); err != nil {
		s.refuse(f, remoting.ServiceNotAvailable, err.Error())
		return false
	}
	return true
}
