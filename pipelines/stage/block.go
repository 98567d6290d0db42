package stage

import "xinshu/connectors"

// blockRows is how many rows are judged at a stretch. Blocks of one page go to different cores; what
// becomes of them depends on their rows alone, so the same pages give the same bytes.
const blockRows = 2048

// block is a stretch of a page's rows at work: their words, then their fates.
type block struct {
	page    *bound
	from    int // of the block's first row in the page
	rows    int
	fields  []wordList
	checker *rowChecker
	id      identity
	judged  chan struct{} // one value once the rows are judged
	fault   error

	verdicts []verdict
	refusals []refusal
	noted    [][]string // warnings by the word of the subject's code
	warned   []warned
	good     []goodRow
	keys     []byte    // record keys of the good rows, one behind the other
	tallies  [][]tally // by field
	counted  []int64   // by field: rows behind the tallies
	computed [][]value // by family column, what is not a field's own value; by good row
}

// refusal is a row that quarantine will hold.
type refusal struct {
	row      int // in the block
	reason   string
	fault    int
	stranger int // the source column at fault, where the contract does not know it
}

// warned is a good row whose code was valid with warnings.
type warned struct {
	good  int
	codes []string
}

// goodRow is what the table is told of an accepted row beside its words.
type goodRow struct {
	record   hash16
	content  [32]byte
	key      int32 // end of its record key in keys
	row      int32 // in the block
	size     int32
	received int32
	time     int64
	timed    bool
	op, kind string
}

// judge reads the words field by field, then the rows one by one.
func (k *block) judge(b *batch) {
	r := k.checker
	for f := range k.fields {
		k.read(f)
	}
	k.verdicts, k.refusals, k.warned, k.good, k.keys = k.verdicts[:0], k.refusals[:0], k.warned[:0], k.good[:0], k.keys[:0]
	for i := range k.computed {
		k.computed[i] = k.computed[i][:0]
	}
	for i := range k.rows {
		for f := range k.fields {
			w := &k.fields[f]
			r.words[f] = &w.list[0]
			if len(w.at) > 0 {
				r.words[f] = &w.list[w.at[i]]
			}
		}
		verdict := r.verdict()
		k.verdicts = append(k.verdicts, verdict)
		switch verdict {
		case accepted:
			k.accept(b, i)
		case quarantined:
			k.refusals = append(k.refusals, refusal{row: i, reason: r.reason, fault: r.fault})
		}
	}
}

// read finds the words of one field. A field that the page does not carry has one word, the empty one.
func (k *block) read(f int) {
	w := &k.fields[f]
	w.reset()
	sources := k.page.sources[f]
	if len(sources) == 0 {
		w.list = append(w.list, word{})
		k.checker.contract.judge(&w.list[0], f, "")
		return
	}
	subject := f == k.checker.contract.uscc
	if subject {
		k.noted = k.noted[:0]
	}
	for i := range k.rows {
		raw := k.page.value(f, k.from+i)
		place, fresh := w.find(raw)
		if fresh {
			warnings := k.checker.contract.judge(&w.list[place], f, raw)
			if subject {
				k.noted = append(k.noted, warnings)
			}
		}
		w.at = append(w.at, place)
	}
}

// accept notes what the table needs of a good row.
func (k *block) accept(b *batch, i int) {
	r := k.checker
	k.id.of(r)
	k.keys = append(k.keys, k.id.key...)
	g := goodRow{record: k.id.record, content: k.id.content, key: int32(len(k.keys)), row: int32(i), size: int32(k.id.size), // a block is small
		op: r.op, kind: r.kind, timed: r.timed(), time: b.batchTime, received: int32(b.receivedOn(r))}
	if g.timed {
		g.time = r.sourceTime()
	}
	for n := range r.columns {
		if r.columns[n].direct < 0 {
			k.computed[n] = append(k.computed[n], r.out[n])
		}
	}
	subject := &k.fields[r.contract.uscc]
	if len(subject.at) > 0 {
		if codes := k.noted[subject.at[i]]; len(codes) > 0 {
			k.warned = append(k.warned, warned{len(k.good), codes})
		}
	}
	k.good = append(k.good, g)
}

// newBlock makes an empty block for a contract.
func newBlock(b *batch) *block {
	return &block{fields: make([]wordList, len(b.contract.fields)), checker: newRowChecker(b.contract, b.today),
		computed: make([][]value, len(b.contract.columns)), tallies: make([][]tally, len(b.contract.fields)), counted: make([]int64, len(b.contract.fields)), judged: make(chan struct{}, 1)}
}

// arrived is what the collector takes in order: a page as it begins, or a block of its rows.
type arrived struct {
	page  *connectors.Page
	bound *bound
	block *block
	last  bool // of its page: the page's memory is given back behind it
}
