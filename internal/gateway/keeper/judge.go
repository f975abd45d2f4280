package keeper

// Reasons why a connection isn't kept.
const (
	reading    = "in a request"     // of which a part was read, or which wasn't handled
	writing    = "in an answer"     // of which a part was written
	waiting    = "calls open"       // other than pulls
	crowded    = "many calls open"  // more than there is room for
	clientGone = "closed by client" // or in a way that isn't known
	failed     = "an answer lost"
	stranger   = "another version" // of the gateway
)

// Reasons are all that Taken tells.
func Reasons() []string {
	return []string{reading, writing, waiting, crowded, clientGone, failed, stranger}
}

// counts are the kernel's of a connection.
type counts struct {
	open          bool // both ways
	read, written uint64
}

// judge reports why a connection can't go on; "" if it can. Then it is between two frames in both
// directions, and waits for pulls alone, which the client is to be told to ask again.
func (s slot) judge(is counts, now uint64) (why string, pulls []Call) {
	over := s.get(wordOver)
	switch {
	case !is.open:
		return clientGone, nil
	case is.read != s.get(wordIn):
		return reading, nil
	case is.written != s.get(wordOut):
		return writing, nil
	case s.get(wordFlags)&flagFailed != 0:
		return failed, nil
	case over>>timeAt > 0 && !stale(over, now):
		return crowded, nil
	}
	for i := range mostCalls {
		word := s.get(wordCalls + 2*i)
		if word&callUsed == 0 || stale(word>>timeAt, now) {
			continue
		}
		if word&callPull == 0 {
			return waiting, nil
		}
		pulls = append(pulls, callAt(word, s.get(wordCalls+2*i+1)))
	}
	return "", pulls
}

// about is what the slot says of its connection.
func (s slot) about(pulls []Call) About {
	return About{
		Broker: s.broker(), VIP: s.get(wordFlags)&flagVIP != 0, Frames: int64(s.get(wordFrames)),
		Pushes: int32(uint32(s.get(wordPushes))), Beat: s.get(wordBeat), Calls: pulls,
	}
}
