// Package acl2 reads and writes ACL 2.0 of one broker of 5.3 or later, by its admin calls. Each
// broker keeps users and rights of its own, slaves too: who writes calls all of them.
package acl2
