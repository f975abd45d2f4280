package remoting

// ErrMessage is what malformed messages are refused with.
var ErrMessage = errMessage
