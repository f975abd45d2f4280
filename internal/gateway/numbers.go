package gateway

import (
	"fmt"
	"math"

	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/rocketmq/remoting"
)

// numberField is a field that the gateway reads as a number, and brokers or clients as one of so
// many bits. What doesn't fit they take for nothing in some headers, instead of refusing
// it (RemotingCommand.decodeCommandCustomHeader).
type numberField struct {
	key  string
	bits int
}

// The numbers that are read of requests and of answers to them, by what the request is.
var (
	numbersOfQueue  = []numberField{{"queueId", 32}}
	numbersOfSendV2 = []numberField{{"e", 32}}
	numbersOfPull   = []numberField{
		{"queueId", 32}, {"queueOffset", 64}, {"commitOffset", 64}, {"sysFlag", 32},
	}
	numbersOfCommit = []numberField{{"queueId", 32}, {"commitOffset", 64}}
	numbersOfLog    = []numberField{{"offset", 64}}
	numbersOfEnd    = []numberField{{"commitLogOffset", 64}}

	numbersOfSent   = []numberField{{"queueId", 32}, {"queueOffset", 64}}
	numbersOfPulled = []numberField{
		{"nextBeginOffset", 64}, {"minOffset", 64}, {"maxOffset", 64}, {"suggestWhichBrokerId", 64},
	}
	numbersOfOffset = []numberField{{"offset", 64}}
)

// numbersOf are the fields of requests that the gateway reads as numbers.
func numbersOf(code int) []numberField {
	switch code {
	case remoting.CodeSend, remoting.CodeMaxOffset, remoting.CodeMinOffset, remoting.CodeQueryOffset:
		return numbersOfQueue
	case remoting.CodeSendV2, remoting.CodeSendBatch:
		return numbersOfSendV2
	case remoting.CodePull, remoting.CodeLitePull:
		return numbersOfPull
	case remoting.CodeUpdateOffset:
		return numbersOfCommit
	case remoting.CodeViewMessage, remoting.CodeSendBack:
		return numbersOfLog
	case remoting.CodeEndTransaction, remoting.CodeCheckTransaction:
		return numbersOfEnd
	}
	return nil
}

// numbersInAnswer are the fields of answers to requests of that code that the gateway reads as
// numbers.
func numbersInAnswer(code int) []numberField {
	switch code {
	case remoting.CodeSend, remoting.CodeSendV2, remoting.CodeSendBatch:
		return numbersOfSent
	case remoting.CodePull, remoting.CodeLitePull:
		return numbersOfPulled
	case remoting.CodeQueryOffset, remoting.CodeMaxOffset, remoting.CodeMinOffset:
		return numbersOfOffset
	}
	return nil
}

// oddNumber returns why a number isn't written as stock clients and brokers write it, nil if all
// are. Java takes more forms of them, such as "+1" and digits of other scripts, and would take the
// frame to be about another queue than the gateway.
func oddNumber(f *wire.Frame, numbers []numberField) error {
	for _, one := range numbers {
		value := f.Get(one.key)
		if value == nil {
			continue
		}
		n, ok := f.Number(one.key)
		if !ok || one.bits == 32 && (n < math.MinInt32 || n > math.MaxInt32) {
			return fmt.Errorf("%s is %.100q, and no number of %d bits", one.key, value, one.bits)
		}
	}
	return nil
}

// plain refuses a request with an odd number.
func (s *session) plain(f *wire.Frame) bool {
	err := oddNumber(f, numbersOf(f.Code))
	if err != nil {
		s.refuse(f, remoting.SystemError, err.Error())
	}
	return err == nil
}
