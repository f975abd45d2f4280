// Package keeper keeps clients' TCP connections open while a gateway is killed and started again.
//
// A second process of the same program, the keeper, holds a duplicate of each connection. The
// gateway writes into memory that it shares with the keeper how far it has come with each: how many
// bytes of whole frames it has read and handled, how many of whole frames it has written, and which
// calls it hasn't answered yet. The kernel counts what was really read and written. When the
// gateway is gone, a connection whose counts agree is between two frames in both directions,
// wherever the gateway was killed: between a call of the system and the note of it, they differ.
// Such a connection can go on in the next process if all that it waits for are pulls, which are
// answered so that the client asks again. All others are closed at once, as if there were no
// keeper.
//
//	gateway             keeper                       next process
//	memory, line    ->
//	connection      ->  holds it
//	connection ends ->  closes it
//	killed              looks at all, closes most
//	                                             <-  asks, once it has the folder's lock
//	                    memory, connections      ->  looks at all again
//	                    ends                     <-  has them
//
// The keeper decides nothing else, reads nothing and writes nothing. It ends when the gateway ends
// in good order, when it has passed the connections on, or when nobody asks for them in time.
package keeper
