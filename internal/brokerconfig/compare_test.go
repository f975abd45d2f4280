package brokerconfig

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// broker tells these settings as name, value, name, value.
func broker(name, version string, settings ...string) Broker {
	values := map[string]string{}
	for i := 0; i < len(settings); i += 2 {
		values[settings[i]] = settings[i+1]
	}
	return Broker{Name: name, Version: version, Values: values}
}

func texts(all []Difference) (lines []string) {
	for _, d := range all {
		kind := "warning"
		if d.Refusal {
			kind = "refusal"
		}
		lines = append(lines, fmt.Sprintf("%s: %s %s", kind, d.Object, d.Cause))
	}
	return lines
}

func TestEachRuleTakesWhatApplicationsDontNotice(t *testing.T) {
	for _, c := range []struct {
		setting, source, target string
		differs                 bool
	}{
		{"maxMessageSize", "4194304", "4194304", false},
		{"maxMessageSize", "4194304", "8388608", false},
		{"maxMessageSize", "8388608", "4194304", true},
		{"maxMessageSize", "nonsense", "4194304", false},
		{"messageDelayLevel", "60s 2h", "1m  120m", false},
		{"messageDelayLevel", "60s 2h", "1m", true},
		{"messageDelayLevel", "7s", "1s", true},
		{"messageDelayLevel", "1x", "1x", false},
		{"messageDelayLevel", "1x", "1s", true},
		{"messageDelayLevel", "s", "1s", true},
		{"transactionCheckInterval", "60000", "30000", true},
		{"transactionCheckInterval", "30000", "60000", false},
		{"startAcceptSendRequestTimeStamp", "0", "1900000000000", true},
		{"startAcceptSendRequestTimeStamp", "1900000000000", "0", false},
		{"traceOn", "true", "false", true},
		{"traceOn", "false", "true", false},
		{"traceOn", "TRUE", "true", false},
		{"rejectTransactionMessage", "false", "true", true},
		{"rejectTransactionMessage", "true", "false", false},
		{"brokerPermission", "6", "4", true},
		{"brokerPermission", "4", "6", false},
		{"brokerPermission", "4", "2", true},
		{"flushDiskType", "SYNC_FLUSH", "ASYNC_FLUSH", true},
		{"flushDiskType", "ASYNC_FLUSH", "SYNC_FLUSH", false},
		{"brokerRole", "SYNC_MASTER", "SLAVE", false},
		{"messageStorePlugIn", "", "com.example.Tiered", false},
		{"messageStorePlugIn", "com.example.Audit", "", true},
		{"regionId", "DefaultRegion", "eu", true},
		{"filterSupportRetry", "true", "false", true},
	} {
		t.Run(c.setting+" "+c.source+" "+c.target, func(t *testing.T) {
			source := broker("a", "4.9.7", c.setting, c.source)
			target := broker("b", "5.3.3", c.setting, c.target)
			all := Compare([]Broker{source}, []Broker{target}, nil)
			if !c.differs {
				assert.Empty(t, all)
				return
			}
			require.Len(t, all, 1, "%v", texts(all))
			assert.Equal(t, "setting "+c.setting, all[0].Object)
			assert.Equal(t, c.setting == "brokerPermission", all[0].Refusal)
		})
	}
}

func TestADifferenceNamesBothValuesTheLineAndTheReason(t *testing.T) {
	all := Compare(
		[]Broker{
			broker("a", "4.9.7", "maxMessageSize", "8388608"),
			broker("b", "4.9.7", "maxMessageSize", "16777216"),
		},
		[]Broker{
			broker("y", "5.3.3", "maxMessageSize", "4194304"),
			broker("z", "5.3.3", "maxMessageSize", "33554432"),
		}, nil)
	require.Equal(t, []string{
		"warning: setting maxMessageSize differs among the source's brokers: 8388608 (a), 16777216 (b)",
		"warning: setting maxMessageSize differs among the target's brokers: 4194304 (y), 33554432 (z)",
		"warning: setting maxMessageSize is 16777216 on the source (b), and 4194304 (y) on the target: " +
			"longer messages are refused: producers get an error, and lanes stop at such a message",
	}, texts(all))
	assert.Equal(t,
		"write maxMessageSize=16777216 into the configuration of target broker y and start it again",
		all[2].Next)
}

func TestASettingThatAVersionHasNotIsJudgedByHowTheVersionBehaves(t *testing.T) {
	source := []Broker{broker("a", "4.9.7")}
	for setting, c := range map[string]struct{ same, differs string }{
		"rejectPullConsumerEnable":     {"false", "true"},
		"channelExpiredTimeout":        {"120000", "20000"},
		"coldDataFlowControlEnable":    {"false", "true"},
		"realTimeNotifyConsumerChange": {"true", "false"},
		"maxTopicLength":               {"1000", "64"},
	} {
		same := []Broker{broker("b", "5.3.3", setting, c.same)}
		assert.Empty(t, Compare(source, same, nil), setting)
		differs := []Broker{broker("b", "5.3.3", setting, c.differs)}
		assert.Len(t, Compare(source, differs, nil), 1, setting)
	}
	none := []Broker{broker("b", "5.3.3", "storeReplyMessageEnable", "false")}
	assert.Empty(t, Compare([]Broker{broker("a", "4.5.2")}, none, nil),
		"4.5 has no replies, so nobody depends on them")
}

func TestBrokersThatDontTellAreUnknownAndNotEqual(t *testing.T) {
	told := []Broker{broker("a", "4.9.7", "maxMessageSize", "8388608")}
	mute := []Broker{{Name: "b", Unknown: "access denied"}}
	require.Equal(t,
		[]string{"warning: settings of target broker b are unknown, and not compared: access denied"},
		texts(Compare(told, mute, Uses{Filtering: {"billing"}})))
	old := []Broker{{Name: "b", Version: "4.7.1", Unknown: "access denied"}}
	require.Equal(t, []string{
		"warning: settings of source broker b are unknown, and not compared: access denied",
		"warning: setting enableDLegerCommitLog of source broker b of version 4.7.1 is unknown, and may be " +
			"true: if it is, " +
			"DLedger brokers of 4.5 to 4.7 refuse batches: applications that begin to send them on the target " +
			"can't go back, and lanes bring messages back one by one",
	}, texts(Compare(old, told, nil)))
	old[0].Version = "4.9.7"
	require.Equal(t,
		[]string{"warning: settings of source broker b are unknown, and not compared: access denied"},
		texts(Compare(old, told, nil)))
	assert.True(t, Depend(mute), "who depends on it is told")

	// Which of them matter is said: before, a group that filters by SQL92 was told of in no way.
	next := Compare(told, mute, Uses{Filtering: {"billing"}})[0].Next
	assert.Contains(t, next, "docs/reference/compare-settings.md: enablePropertyFilter must be true for billing; "+
		"maxMessageSize is 8388608 on the source")
	next = Compare([]Broker{broker("a", "4.9.7", "maxMessageSize", "4194304")}, mute, nil)[0].Next
	assert.Contains(t, next, ": the source has the servers' own values of all of them")
}

func TestWhatLiveGroupsNeedIsARefusal(t *testing.T) {
	source := []Broker{broker("a", "4.9.7", "enablePropertyFilter", "true", "filterServerNums", "1")}
	without := []Broker{
		broker("y", "5.3.3", "enablePropertyFilter", "true", "rejectPullConsumerEnable", "true"),
		broker("z", "5.3.3", "enablePropertyFilter", "false", "rejectPullConsumerEnable", "true"),
	}
	assert.True(t, Depend(without))
	for _, d := range Compare(source, without, nil) {
		assert.False(t, d.Refusal, "nobody depends on it: %v", d)
	}
	all := Compare(source, without, Uses{Filtering: {"billing"}, Pulling: {"batch"}, ByClass: {"old"}})
	var refused []Difference
	for _, d := range all {
		if d.Refusal {
			refused = append(refused, d)
		}
	}
	require.Len(t, refused, 3, "%v", texts(all))
	assert.Contains(t, refused[0].Cause, "is false (z) on the target, and must be true for billing: "+
		"pulls of groups that filter by SQL92 are refused")
	assert.Equal(t,
		"write enablePropertyFilter=true into the configuration of target broker z and start it again",
		refused[0].Next)
	assert.Contains(t, refused[1].Cause,
		"is 0 (y, z) on the target, and must be more than 0 for old")
	assert.Equal(t, "let these groups filter by SQL92 or in the application, or exclude them",
		refused[1].Next)
	assert.Contains(t, refused[2].Cause,
		"is true (y, z) on the target, and must be false for batch")
	fit := []Broker{broker("y", "5.3.3", "enablePropertyFilter", "true", "filterServerNums", "1")}
	assert.False(t, Depend(fit))
	assert.Empty(t, Compare(source, fit, Uses{Filtering: {"billing"}, Pulling: {"batch"}}))
}

func TestAccessControlIsOneSettingWhateverItIsCalled(t *testing.T) {
	old := broker("a", "4.9.7", "aclEnable", "true")
	now := broker("b", "5.3.3", "aclEnable", "false", "authenticationEnabled", "true")
	assert.Empty(t, Compare([]Broker{old}, []Broker{now}, nil))
	open := broker("a", "4.9.7", "aclEnable", "false")
	assert.Len(t, Compare([]Broker{open}, []Broker{now}, nil), 1)
}

func TestBatchesAreRefusedByDLedgerBefore480(t *testing.T) {
	target := []Broker{broker("b", "5.3.3", "enableDLegerCommitLog", "false")}
	for version, refuses := range map[string]bool{
		"4.5.2": true, "4.7.1": true, "4.8.0": false, "4.9.7": false, "": false, "4.10": false,
	} {
		all := Compare([]Broker{broker("a", version, "enableDLegerCommitLog", "true")}, target, nil)
		assert.Equal(t, refuses, len(all) == 1, "%q: %v", version, texts(all))
	}
}

func TestManyBrokersAndLongValuesStayOneReadableLine(t *testing.T) {
	var source, target []Broker
	for i := range 100 {
		long := strings.Repeat("é", 500)
		source = append(source, broker(fmt.Sprintf("s%02d", i), "4.9.7", "regionId", long))
		target = append(target, broker(fmt.Sprintf("t%02d", i), "5.3.3", "regionId", fmt.Sprint(i)))
	}
	all := Compare(source, target, nil)
	require.Len(t, all, 2)
	for _, d := range all {
		assert.Less(t, len(d.Cause)+len(d.Next), 1200, "%v", d)
	}
	assert.Contains(t, all[0].Cause, "and 95 more")
}

func TestANewTargetIsGivenWhatTheSourcesBrokersAgreeOn(t *testing.T) {
	lines := Provided([]Broker{
		broker("a", "4.9.7", "messageDelayLevel", "7s", "maxMessageSize", "1", "fileReservedTime", "1",
			"regionId", ""),
		broker("b", "4.9.7", "messageDelayLevel", "7s", "maxMessageSize", "2", "fileReservedTime", "1",
			"regionId", ""),
		{Name: "c", Unknown: "access denied"},
	})
	assert.Equal(t, map[string]string{"messageDelayLevel": "7s"}, lines)
	assert.Empty(t, Provided(nil))
}

func TestTheTableIsWellFormed(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range Table {
		assert.False(t, seen[s.Name], s.Name)
		seen[s.Name] = true
		assert.NotEmpty(t, s.Why, s.Name)
		assert.NotEmpty(t, s.Defaults, s.Name)
		assert.Equal(t, s.Refuses != Nobody && s.Refuses != Everybody, s.Needs != "", s.Name)
	}
	for _, one := range leftOut {
		assert.NotEmpty(t, one.why)
	}
	assert.True(t, judged("maxMessageSize"))
	assert.True(t, judged("authenticationEnabled"))
	assert.True(t, judged("timerMaxDelaySec"))
	assert.False(t, judged("enableSomethingNew"))
}
