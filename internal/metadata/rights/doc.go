// Package rights is what users of a cluster may do: the model of users and rights without secrets,
// how ACL 1.0 of RocketMQ 4.x and ACL 2.0 of 5.x decide, and how the first becomes the second. It
// is pure: packages beside it read and write files and brokers.
package rights
