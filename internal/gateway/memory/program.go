package memory

// UsualMemory is the memory that a gateway may take unless it is told otherwise, in bytes:
// enough for 5,000 connections of clients, or 300,000 queues, beside a hundred of the largest
// messages.
const UsualMemory = 1 << 30

// LeastMemory is the least that it can do with: there must be room for a frame of 16 MiB,
// twice, when all else is full.
const LeastMemory = 256 << 20
