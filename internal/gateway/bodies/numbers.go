package bodies

import (
	"fmt"
	"math"

	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/rocketmq/remoting"
)

// NumberField is a field that the gateway reads as a number, and brokers or clients as one of so
// many bits. What doesn't fit they take for nothing in some headers, instead of refusing
// it (RemotingCommand.decodeCommandCustomHeader).
type NumberField struct {
	Key  string
	Bits int
}

// The numbers that are read of requests and of answers to them, by what the request is.
var (
	numbersOfQueue  = []NumberField{{"queueId", 32}}
	numbersOfSendV2 = []NumberField{{"e", 32}}
	numbersOfPull   = []NumberField{
		{"queueId", 32}, {"queueOffset", 64}, {"commitOffset", 64}, {"sysFlag", 32},
	}
	numbersOfCommit = []NumberField{{"queueId", 32}, {"commitOffset", 64}}
	numbersOfLog    = []NumberField{{"offset", 64}}
	numbersOfEnd    = []NumberField{{"commitLogOffset", 64}}

	numbersOfSent   = []NumberField{{"queueId", 32}, {"queueOffset", 64}}
	numbersOfPulled = []NumberField{
		{"nextBeginOffset", 64}, {"minOffset", 64}, {"maxOffset", 64}, {"suggestWhichBrokerId", 64},
	}
	numbersOfOffset = []NumberField{{"offset", 64}}
)

// NumbersOf are the fields of requests that the gateway reads as numbers.
func NumbersOf(code int) []NumberField {
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

// NumbersInAnswer are the fields of answers to requests of that code that the gateway reads as
// numbers.
func NumbersInAnswer(code int) []NumberField {
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

// OddNumber returns why a number isn't written as stock clients and brokers write it, nil if all
// are. Java takes more forms of them, such as "+1" and digits of other scripts, and would take the
// frame to be about another queue than the gateway.
func OddNumber(f *wire.Frame, numbers []NumberField) error {
	for _, one := range numbers {
		value := f.Get(one.Key)
		if value == nil {
			continue
		}
		n, ok := f.Number(one.Key)
		if !ok || one.Bits == 32 && (n < math.MinInt32 || n > math.MaxInt32) {
			return fmt.Errorf("%s is %.100q, and no number of %d bits", one.Key, value, one.Bits)
		}
	}
	return nil
}
