package metadata

import (
	"fmt"
	"reflect"
	"slices"
	"time"

	"rocketshift/api"
	"rocketshift/internal/clusters"
	"rocketshift/internal/findings"
	"rocketshift/internal/rocketmq"
)

// The target gets each topic and group with one set of settings on all of its brokers: that of the
// source's first broker, by name, that has it. Numbers of queues and permissions are each broker's.

// UnevenTopic tells of a topic whose other settings differ between brokers of the source.
func UnevenTopic(topic string, brokers map[string]rocketmq.TopicConfig, at time.Time) []api.Finding {
	settings := map[string]map[string]any{}
	for broker, c := range brokers {
		settings[broker] = map[string]any{
			"topicFilterType": c.FilterType, "topicSysFlag": c.SysFlag, "order": c.Order,
		}
	}
	return uneven("topic "+topic, settings, at)
}

// UnevenGroup tells of a group whose settings differ between brokers of the source. One that some
// of them have closed is told otherwise.
func UnevenGroup(group string, brokers map[string]rocketmq.Group, at time.Time) []api.Finding {
	settings := map[string]map[string]any{}
	for broker, g := range brokers {
		settings[broker] = g.Settings()
	}
	return uneven("group "+group, settings, at)
}

// uneven compares settings that both brokers tell: older ones know fewer.
func uneven(object string, settings map[string]map[string]any, at time.Time) []api.Finding {
	brokers := clusters.SortedKeys(settings)
	if len(brokers) < 2 {
		return nil
	}
	first := brokers[0]
	var differ []string
	for _, broker := range brokers[1:] {
		for _, name := range clusters.SortedKeys(settings[broker]) {
			has, told := settings[first][name]
			other := settings[broker][name]
			if !told || slices.Contains(notCompared, name) || emptySetting(has) && emptySetting(other) ||
				reflect.DeepEqual(plainJSON(has), plainJSON(other)) {
				continue
			}
			differ = append(differ, fmt.Sprintf("%s is %v on %s and %v on %s",
				name, plainJSON(has), first, plainJSON(other), broker))
		}
	}
	if len(differ) == 0 {
		return nil
	}
	found := findings.SettingsBetweenBrokers.Warning(object, "",
		"has settings that differ between brokers of the source: the target gets those of broker %s", first)
	for _, fact := range differ {
		found = found.With(at, "%s", fact)
	}
	return []api.Finding{found}
}
