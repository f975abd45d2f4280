package brokerconfig

import "slices"

// Provided are the lines with which a new target behaves as all brokers of the source do. What
// they tell otherwise than each other, or what belongs to their disks, isn't among them.
func Provided(source []Broker) map[string]string {
	source = telling(source)
	lines := map[string]string{}
	for _, s := range Table {
		mute := slices.ContainsFunc(source, func(b Broker) bool { return b.Values[s.Name] == "" })
		if values := s.told(source); s.Local && !mute && len(values) == 1 {
			lines[s.Name] = values[0].value
		}
	}
	return lines
}
