package publish

// epochBits is how far the epoch is shifted in a version: room for a million million statements
// about one entity in an epoch, and for eight million epochs.
const epochBits = 40

// firstVersion is the smallest version of an epoch. Every version of an epoch is greater than any of
// an earlier one, whatever the earlier counters had reached by the time of a restore.
func firstVersion(epoch int64) int64 { return epoch<<epochBits + 1 }
