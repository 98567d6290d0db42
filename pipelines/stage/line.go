package stage

import (
	"context"
	"fmt"
	"runtime"
	"sync"

	"xinshu/connectors"
)

// line is the way of pages through a pull: the goroutine that pulls cuts them into blocks, one
// goroutine for each core judges blocks, and one collector takes what was judged in the order in which
// it came. The number of blocks is what bounds memory: without a free one the pull waits.
type line struct {
	free   chan *block
	judge  chan *block
	order  chan arrived
	failed chan struct{} // closed when the collector gave up
	ended  chan struct{}
	err    error // of the collector, once failed or ended is closed
	stop   sync.Once
	binder binder

	profiles []*profile // one for each goroutine that judges, whole once ended is closed
}

func (b *batch) startLine(ctx context.Context) *line {
	cores := runtime.GOMAXPROCS(0)
	l := &line{judge: make(chan *block), failed: make(chan struct{}), ended: make(chan struct{}), binder: binder{contract: b.contract}}
	l.free, l.order = make(chan *block, 2*cores+2), make(chan arrived, 2*cores+2)
	for range cap(l.free) {
		l.free <- newBlock(b)
	}
	for range cores {
		p := newProfile(b.contract)
		l.profiles = append(l.profiles, p)
		go func() {
			for k := range l.judge {
				k.run(b, p)
			}
		}()
	}
	go b.collect(ctx, l)
	return l
}

// run judges the block; a panic in it becomes the pull's error.
func (k *block) run(b *batch, p *profile) {
	defer func() {
		if fault := recover(); fault != nil {
			k.fault = fmt.Errorf("judge rows of %s: %v", b.ID, fault)
		}
		k.judged <- struct{}{}
	}()
	k.judge(b)
	p.look(k)
}

// send puts a page on the line. Its memory is given back behind its last block.
func (l *line) send(ctx context.Context, page connectors.Page) error {
	release := func() {
		if page.Batch != nil {
			page.Batch.Release()
		}
	}
	if ctx.Err() != nil {
		release()
		return context.Cause(ctx)
	}
	rows := 0
	var t *bound
	if page.Batch != nil {
		rows = int(page.Batch.NumRows())
	}
	if rows > 0 {
		var err error
		if t, err = l.binder.bind(page); err != nil {
			release()
			return err
		}
	}
	select {
	case l.order <- arrived{page: &page, bound: t, last: rows == 0}:
	case <-l.failed:
		release()
		return l.err
	}
	for from := 0; from < rows; from += blockRows {
		var k *block
		select {
		case k = <-l.free:
		case <-l.failed:
			return l.err
		}
		k.page, k.from, k.rows, k.fault = t, from, min(blockRows, rows-from), nil
		l.judge <- k
		select {
		case l.order <- arrived{page: &page, bound: t, block: k, last: from+blockRows >= rows}:
		case <-l.failed:
			return l.err
		}
	}
	return nil
}

// end lets the line run empty and gives its error.
func (l *line) end() error {
	l.stop.Do(func() {
		close(l.order)
		<-l.ended
		close(l.judge)
	})
	return l.err
}

// collect takes pages and blocks in order until the line ends.
func (b *batch) collect(ctx context.Context, l *line) {
	defer close(l.ended)
	for a := range l.order {
		if a.block != nil {
			<-a.block.judged
		}
		if l.err == nil {
			if l.err = b.arrive(ctx, a); l.err != nil {
				close(l.failed)
			}
		}
		if a.block != nil {
			l.free <- a.block
		}
		if a.last && a.page.Batch != nil {
			a.page.Batch.Release()
		}
	}
}

func (b *batch) arrive(ctx context.Context, a arrived) (err error) {
	defer func() { // the libraries below panic on some faults; a pull may fail of it, the hub may not
		if fault := recover(); fault != nil {
			err = fmt.Errorf("stage rows of %s: %v", b.ID, fault)
		}
	}()
	if a.block != nil {
		if a.block.fault != nil {
			return a.block.fault
		}
		if err := b.take(ctx, a.block); err != nil {
			return err
		}
	} else if err := b.open(a.page, a.bound); err != nil {
		return err
	}
	if a.last {
		return b.close(ctx, a.page)
	}
	return nil
}
