// Package routing keeps where requests go: which queues there are, on which side their messages are
// stored (homes), from which side groups read them (views), which side says who a group's members
// are (the authority), and what waits while one of these moves (holds).
package routing
