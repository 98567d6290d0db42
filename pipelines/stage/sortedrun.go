package stage

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"os"
	"sort"
)

// hash16 is the first half of a SHA-256: two different texts share one with a chance of 2^-128.
type hash16 [16]byte

// entry is what an index keeps of a row: 32 bytes, whatever the row's size.
type entry struct{ key, value hash16 }

const (
	entrySize    = 32
	blockEntries = 128 // 4 KiB are read for one look-up
	bloomBits    = 10  // per key: about 1 look-up in 100 reads a block for nothing
	bloomProbes  = 6
)

// sortedRun is a file of entries in key order, each key once. Of it, memory holds only the first key
// of each block and the bloom filter: about 1.3 bytes an entry. The file has no name: it is gone
// with the process, however that ends.
type sortedRun struct {
	file   *os.File
	count  int
	fences []uint64 // the first eight bytes of each block's first key
	bloom  []uint64 // in blocks of 512 bits, so that a probe touches one cache line
	block  [blockEntries * entrySize]byte
}

// writeRun writes entries, which next gives in key order, and opens them for look-up.
func writeRun(dir string, atMost int, next func() (entry, bool, error)) (run *sortedRun, err error) {
	file, err := os.CreateTemp(dir, "seen-*.run")
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = file.Close()
		}
	}()
	if err := os.Remove(file.Name()); err != nil {
		return nil, err
	}
	r := &sortedRun{file: file, bloom: make([]uint64, (atMost*bloomBits/512+1)*8)}
	out := bufio.NewWriterSize(file, 64<<10)
	for {
		e, ok, err := next()
		if err != nil {
			return nil, err
		}
		if !ok {
			break
		}
		if r.count%blockEntries == 0 {
			r.fences = append(r.fences, binary.BigEndian.Uint64(e.key[:]))
		}
		r.mark(e.key)
		r.count++
		if _, err := out.Write(e.key[:]); err != nil {
			return nil, err
		}
		if _, err := out.Write(e.value[:]); err != nil {
			return nil, err
		}
	}
	return r, out.Flush()
}

// bits gives the eight words of a key's block and two hashes that walk through it. Keys are hashes
// already, so their own bytes serve.
func (r *sortedRun) bits(key hash16) (words []uint64, h, step uint32) {
	block := binary.LittleEndian.Uint64(key[8:]) % uint64(len(r.bloom)/8)
	return r.bloom[block*8 : block*8+8], binary.LittleEndian.Uint32(key[0:]), binary.LittleEndian.Uint32(key[4:]) | 1
}

func (r *sortedRun) mark(key hash16) {
	words, h, step := r.bits(key)
	for range bloomProbes {
		words[h>>6&7] |= 1 << (h & 63)
		h += step
	}
}

func (r *sortedRun) mayHold(key hash16) bool {
	words, h, step := r.bits(key)
	for range bloomProbes {
		if words[h>>6&7]&(1<<(h&63)) == 0 {
			return false
		}
		h += step
	}
	return true
}

// get looks one key up. Only one goroutine may use a run at a time.
func (r *sortedRun) get(key hash16) (value hash16, found bool, err error) {
	if !r.mayHold(key) {
		return value, false, nil
	}
	prefix := binary.BigEndian.Uint64(key[:])
	// Several blocks may begin with the same eight bytes; start at the last whose first key is below.
	at := sort.Search(len(r.fences), func(i int) bool { return r.fences[i] >= prefix })
	for b := max(at-1, 0); b < len(r.fences) && r.fences[b] <= prefix; b++ {
		n, err := r.file.ReadAt(r.block[:], int64(b)*int64(len(r.block)))
		if err != nil && err != io.EOF {
			return value, false, err
		}
		entries := n / entrySize
		i := sort.Search(entries, func(i int) bool { return bytes.Compare(r.block[i*entrySize:i*entrySize+16], key[:]) >= 0 })
		if i < entries && bytes.Equal(r.block[i*entrySize:i*entrySize+16], key[:]) {
			copy(value[:], r.block[i*entrySize+16:])
			return value, true, nil
		}
	}
	return value, false, nil
}

// reader gives the run's entries in order.
func (r *sortedRun) reader() func() (entry, bool, error) {
	in := bufio.NewReaderSize(io.NewSectionReader(r.file, 0, int64(r.count)*entrySize), 64<<10)
	return func() (e entry, ok bool, err error) {
		var b [entrySize]byte
		if _, err := io.ReadFull(in, b[:]); err == io.EOF {
			return e, false, nil
		} else if err != nil {
			return e, false, err
		}
		copy(e.key[:], b[:16])
		copy(e.value[:], b[16:])
		return e, true, nil
	}
}

func (r *sortedRun) close() error { return r.file.Close() }
