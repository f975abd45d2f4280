// Package brokerjson reads the tables in which brokers keep topics, groups and positions, as their
// files, their answers and mqadmin's exports have them (TopicConfigSerializeWrapper,
// SubscriptionGroupWrapper, ConsumerOffsetSerializeWrapper; 4.3 to 5.5). It is strict: an error
// names the key.
package brokerjson
