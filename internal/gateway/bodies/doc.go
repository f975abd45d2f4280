// Package bodies reads the bodies of requests and answers, and numbers in fields, as brokers read
// them: what has more than one reading, or more in it than there is room for, is refused.
package bodies
