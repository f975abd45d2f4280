package keeper

import (
	"errors"
	"net"
	"os/exec"
	"time"

	"golang.org/x/sys/unix"
)

// supervise tells the keeper what there is, and starts another one when it ends.
func (k *Keeper) supervise(process *exec.Cmd) {
	defer close(k.ended)
	for pause, said := againPause, false; process != nil; pause = min(2*pause, longestPause) {
		exited := make(chan error, 1)
		go func() { exited <- k.awaitExit(process) }()
		go k.awaitBegin(process)
		line := k.talk() // at once: this process may be killed before the keeper has begun
		how := endsInTime(process, exited)
		if k.isEnded() {
			return
		}
		if !k.began.Load() {
			k.options.Log.Error("no keeper of connections can be started: clients see the gateway be killed",
				"how", how, "line", line)
			<-k.over
			return
		}
		if !said {
			said = true
			k.options.Log.Error("the keeper of connections has ended: another one is started; "+
				"meanwhile clients would see the gateway be killed", "how", how, "line", line)
		}
		process = k.again(pause)
	}
}

// awaitBegin waits until the process says that it is a keeper, and ends it if it doesn't: a program
// that doesn't know the argument does something else.
func (k *Keeper) awaitBegin(process *exec.Cmd) {
	k.mu.Lock()
	line := k.line
	k.mu.Unlock()
	if line == nil {
		return // it has ended
	}
	_ = line.SetReadDeadline(time.Now().Add(beginTime))
	got := make([]byte, 1)
	if n, err := line.Read(got); err == nil && n == 1 && got[0] == hereWord {
		k.began.Store(true)
	} else if !k.isEnded() {
		_ = process.Process.Kill()
	}
}

// isEnded reports whether nothing is kept any more.
func (k *Keeper) isEnded() bool {
	select {
	case <-k.over:
		return true
	default:
		return false
	}
}

// again starts another keeper; nil if it is over.
func (k *Keeper) again(pause time.Duration) *exec.Cmd {
	for ; ; pause = min(2*pause, longestPause) {
		select {
		case <-k.over:
			return nil
		case <-time.After(pause):
		}
		if process, err := k.spawn(); err == nil {
			return process
		}
	}
}

// awaitExit waits for the process's end, and takes note of it.
func (k *Keeper) awaitExit(process *exec.Cmd) error {
	how := process.Wait()
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.line != nil {
		_ = k.line.Close()
		k.line = nil
	}
	k.more.Broadcast()
	return how
}

// endsInTime waits for the process's end, and ends it if it takes too long.
func endsInTime(process *exec.Cmd, exited <-chan error) error {
	select {
	case how := <-exited:
		return how
	case <-time.After(endTime):
		_ = process.Process.Kill()
		return <-exited
	}
}

// talk tells the keeper what there is until it is over, or the keeper takes nothing more.
func (k *Keeper) talk() error {
	for {
		k.mu.Lock()
		for len(k.tell) == 0 && !k.isOver && k.line != nil {
			k.more.Wait()
		}
		now, over, line := k.tell, k.isOver, k.line
		k.mu.Unlock()
		switch {
		case line == nil:
			return nil // it has ended
		case over:
			return say(line, []byte{endWord})
		}
		for _, one := range now {
			if err := one.to(line); err != nil {
				return err
			}
		}
		k.mu.Lock()
		if k.tell = k.tell[len(now):]; len(k.tell) == 0 {
			k.tell = nil
		}
		k.mu.Unlock()
	}
}

// to tells it. A connection that has ended isn't told.
func (o told) to(line *net.UnixConn) (err error) {
	message := place{o.track.index, o.track.number}.appendTo([]byte{o.word})
	if o.word == dropWord {
		return say(line, message)
	}
	_ = control(o.track.conn, func(fd int) error {
		err = say(line, message, fd)
		return nil
	})
	if isFull(err) {
		return nil // that one isn't kept
	}
	return err
}

// isFull reports whether too many descriptors are on their way (unix(7)): as the keeper takes them,
// there is room again.
func isFull(err error) bool { return errors.Is(err, unix.ETOOMANYREFS) }
