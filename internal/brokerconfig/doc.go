// Package brokerconfig says which settings of brokers applications depend on, and compares them
// between the brokers of two clusters. The list is made from the servers' code, 4.5 to 5.5
// (BrokerConfig and MessageStoreConfig): Table has what is compared, leftOut of the tests what
// isn't, each with the reason.
package brokerconfig
