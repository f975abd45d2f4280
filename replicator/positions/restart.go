package positions

import "rocketshift/replicator/replica"

// restarted notes the first copy that the lane made after it was restarted: the copies before it
// count as natives from then on.
func (c *cuts) restarted(m replica.Message, stamps *replica.Stamper) bool {
	stamp, ok := replica.ParseStamp(m.Properties)
	if !ok || stamp.Epoch <= stamps.Epoch || !stamps.Made(stamp) {
		return false
	}
	if len(c.runs) > 0 {
		first := c.runs[0].position
		if c.natives.Count > 0 {
			first = min(first, c.natives.First)
		}
		c.natives.First, c.natives.Last = first, m.Position-1
		for _, r := range c.runs {
			c.natives.Count += r.length
		}
	}
	c.runs, c.newest, c.epoch = nil, -1, stamp.Epoch
	stamps.Restarted(stamp.Epoch)
	return true
}
