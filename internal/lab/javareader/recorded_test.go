package javareader

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/lab/labtest"
)

func TestMain(m *testing.M) { labtest.Main(m) }

func TestWhatIsNotRecordedHasNoAnswer(t *testing.T) {
	file := filepath.Join(t.TempDir(), "readings.txt")
	text := "\"Fa\\x00b\"\n{\"code\":1}\nsame\n\"Fc\"\n{\"code\":2}\n{\"code\":3}\n"
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	r, err := Open(file)
	require.NoError(t, err)
	answers, err := r.Ask([]byte("Fa\x00b"))
	require.NoError(t, err)
	assert.Equal(t, [...]string{`{"code":1}`, `{"code":1}`}, answers)
	answers, err = r.Ask([]byte("Fc"))
	require.NoError(t, err)
	assert.Equal(t, [...]string{`{"code":2}`, `{"code":3}`}, answers)
	_, err = r.Ask([]byte("Fd"))
	assert.ErrorContains(t, err, "run make readings")
	require.NoError(t, os.WriteFile(file, []byte("no text\n\n\n"), 0o600))
	_, err = Open(file)
	assert.ErrorContains(t, err, "run make readings")
}

// What was recorded is read again, and another answer than the recorded one is told.
func TestLiveReadingsAreRecordedAndCompared(t *testing.T) {
	labtest.NeedsServers(t)
	file := filepath.Join(t.TempDir(), "readings.txt")
	now, err := Start()
	require.NoError(t, err)
	t.Cleanup(now.Close)
	r := &Recorded{file: file, answers: map[string][len(Versions)]string{}, record: now}
	lock := Body("body.LockBatchRequestBody", []byte(`{"consumerGroup":"g","clientId":"c"}`))
	answers, err := r.Ask(lock)
	require.NoError(t, err)
	assert.Contains(t, answers[0], `"consumerGroup":"g"`)
	_, err = r.Ask(Frame([]byte("\x00\x00\x00\x04\x00\x00\x00\x00")))
	require.NoError(t, err)
	require.NoError(t, r.Save())
	again, err := Open(file)
	require.NoError(t, err)
	differ, questions, err := again.Differences(now)
	require.NoError(t, err)
	assert.Empty(t, differ)
	assert.Equal(t, 2, questions)
	again.answers[string(lock)] = [...]string{`{"consumerGroup":"h"}`, answers[1]}
	differ, _, err = again.Differences(now)
	require.NoError(t, err)
	assert.Len(t, differ, 1)
}
