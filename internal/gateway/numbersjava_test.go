package gateway

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/bodies"
	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/lab/javareader"
	"rocketshift/internal/rocketmq/remoting"
)

// requestFields are fields that a request of each code has, with numbers and names that are put in.
func requestFields(code int, name string) []string {
	switch code {
	case remoting.CodeSend:
		return []string{
			"producerGroup", "p", "topic", name, "defaultTopic", "d",
			"defaultTopicQueueNums", "4", "queueId", "1", "sysFlag", "0", "bornTimestamp", "0",
			"flag", "0",
		}
	case remoting.CodeSendV2, remoting.CodeSendBatch:
		return []string{
			"a", "p", "b", name, "c", "d", "d", "4", "e", "1", "f", "0", "g", "0", "h",
			"0",
		}
	case remoting.CodePull, remoting.CodeLitePull:
		return []string{
			"consumerGroup", name, "topic", name, "queueId", "1", "queueOffset", "2",
			"maxMsgNums", "1", "sysFlag", "0", "commitOffset", "1", "suspendTimeoutMillis", "0",
			"subVersion", "0",
		}
	case remoting.CodeQueryOffset, remoting.CodeMaxOffset, remoting.CodeMinOffset:
		return []string{"consumerGroup", name, "topic", name, "queueId", "1"}
	case remoting.CodeUpdateOffset:
		return []string{"consumerGroup", name, "topic", name, "queueId", "1", "commitOffset", "1"}
	case remoting.CodeMembers:
		return []string{"consumerGroup", name}
	case remoting.CodeViewMessage:
		return []string{"offset", "1"}
	case remoting.CodeSendBack:
		return []string{"offset", "1", "group", name, "delayLevel", "1"}
	}
	return []string{
		"producerGroup", name, "tranStateTableOffset", "1", "commitLogOffset", "1",
		"commitOrRollback", "0", "msgId", "x", "transactionId", "x",
	}
}

var requestCodes = []int{
	remoting.CodeSend, remoting.CodeSendV2, remoting.CodeSendBatch, remoting.CodePull, remoting.CodeLitePull,
	remoting.CodeQueryOffset, remoting.CodeUpdateOffset, remoting.CodeMaxOffset, remoting.CodeMinOffset,
	remoting.CodeMembers, remoting.CodeViewMessage, remoting.CodeSendBack, remoting.CodeEndTransaction,
	remoting.CodeCheckTransaction,
}

// The gateway's own readings of a field: as a number, and as a name.
func headerAgainst(t *testing.T, f *wire.Frame, numbers []bodies.NumberField, got [2]javareader.Command) {
	t.Helper()
	for i, java := range got {
		require.Empty(t, java.Refused)
		if java.Header == nil || java.Header["refused"] != nil {
			continue // of such a frame nothing has an effect
		}
		for _, one := range numbers {
			n, ok := f.Number(one.Key)
			is, has := java.Header[one.Key]
			if ok && has && fmt.Sprint(is) != strconv.FormatInt(n, 10) {
				t.Fatalf("the gateway reads %s as %d, RocketMQ %s as %v: %q", one.Key, n,
					javareader.Versions[i], is, f.Bytes())
			}
		}
		for _, key := range []string{"topic", "b", "consumerGroup"} {
			is, has := java.Header[key]
			if has && f.Has(key) && is != string(f.Text(key)) && (is != nil || !f.Binary) {
				t.Fatalf("the gateway reads %s as %q, RocketMQ %s as %q: %q", key, f.Text(key),
					javareader.Versions[i], is, f.Bytes())
			}
		}
	}
}

// Numbers and names of requests, and numbers of answers, as headers have them.
func FuzzNumbersAgainstJava(f *testing.F) {
	java := javareader.For(f, readings)
	for which := range requestCodes {
		for at, number := range []string{
			"3", "-1", "+1", "007", "2147483648", "-2147483649",
			"9223372036854775807", "9223372036854775808", "", " 1", "0x1", "1.0", "\u0663", "-0",
			"-", "1e2", "\uff11", "00000000000000000001",
		} {
			f.Add(which, at, number, "name", at%2 == 0)
		}
		f.Add(which, 0, "1", "a\u00e9<\u2028\x01\"\\", false)
		f.Add(which, 0, "1", "%RETRY%g", true)
	}
	f.Fuzz(func(t *testing.T, which, at int, number, name string, ascii bool) {
		if which < 0 || at < 0 || !utf8.ValidString(number+name) || len(number+name) > 200 {
			return
		}
		code := requestCodes[which%len(requestCodes)]
		fields := requestFields(code, name)
		if numbers := bodies.NumbersOf(code); len(numbers) > 0 {
			for i := 0; i < len(fields); i += 2 {
				if fields[i] == numbers[at%len(numbers)].Key {
					fields[i+1] = number
				}
			}
		}
		var one wire.Frame
		if one.Parse(requestIn(code, fields, ascii)) != nil {
			return
		}
		if bodies.OddNumber(&one, bodies.NumbersOf(code)) == nil {
			headerAgainst(t, &one, bodies.NumbersOf(code), javareader.Ask[javareader.Command](t, java,
				javareader.Frame(one.Bytes())))
		}
		answer := wire.Reply{}
		numbers := bodies.NumbersInAnswer(code)
		for i, field := range numbers {
			is := "1"
			if i == at%len(numbers) {
				is = number
			}
			answer.Fields = append(answer.Fields, field.Key, is)
		}
		require.NoError(t, one.Parse(wire.AppendReply(nil, 1, ascii, answer)))
		if bodies.OddNumber(&one, numbers) == nil {
			headerAgainst(t, &one, numbers, javareader.Ask[javareader.Command](t, java,
				javareader.Answer(code, one.Bytes())))
		}
	})
}

// requestIn is a request with what isn't ASCII escaped, or not.
func requestIn(code int, fields []string, ascii bool) []byte {
	raw := wire.AppendRequest(nil, code, 1, 0, fields, nil)
	if !ascii {
		return raw
	}
	head := strconv.QuoteToASCII(string(raw[8:]))
	head = strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(head[1 : len(head)-1])
	if strings.Contains(head, `\U`) || strings.Contains(head, `\x`) {
		return raw
	}
	total := 4 + len(head)
	raw = []byte{
		byte(total >> 24), byte(total >> 16), byte(total >> 8), byte(total), 0,
		byte(len(head) >> 16), byte(len(head) >> 8), byte(len(head)),
	}
	return append(raw, head...)
}
