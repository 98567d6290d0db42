package files

import (
	"xinshu/connectors"
	"xinshu/connectors/jsonrows"
)

// sheet turns the rows of one file into pages. A page goes out when the row after it arrives, so that
// the last one carries the cursor behind the file, and its handle.
type sheet struct {
	job         job
	name, label string
	at          *taken
	mark        mark
	skip        int64 // rows that an earlier pull took
	yield       func(connectors.Page, error) bool

	batch   *connectors.Batch
	rejects []connectors.Reject
	read    int64
}

// due counts one more row, sends the page that is full, and says whether the row is to be read.
func (s *sheet) due() (bool, error) {
	if s.batch == nil {
		s.batch = connectors.NewBatch(s.job.rows)
	}
	if s.batch.Full() || s.batch.Rows()+len(s.rejects) >= s.job.rows {
		if err := s.send(false); err != nil {
			return false, err
		}
	}
	s.read++
	return s.read > s.skip, nil
}

func (s *sheet) reject(r connectors.Reject) { s.rejects = append(s.rejects, r) }

// refuse gives the whole file up as one reject. It stays where it is, remembered, until it is replaced.
func (s *sheet) refuse(reason string, line int64, what string) error {
	s.batch = connectors.NewBatch(s.job.rows)
	s.rejects = []connectors.Reject{{Line: line, Reason: reason, Value: jsonrows.Excerpt([]byte(what))}}
	s.at.Files[s.name] = s.mark
	return s.page(connectors.Page{Next: s.at.cursor(nil)})
}

// end sends what is left, even if that is no row: the cursor must say that the file was taken.
func (s *sheet) end() error {
	if s.batch == nil {
		s.batch = connectors.NewBatch(s.job.rows)
	}
	return s.send(true)
}

func (s *sheet) send(last bool) error {
	p := connectors.Page{}
	if last {
		s.at.Files[s.name] = s.mark
		p.Next = s.at.cursor(nil)
		if s.job.done != "" {
			p.Taken = []string{s.mark.Sum + " " + s.name}
		}
	} else {
		p.Next = s.at.cursor(&inside{Name: s.name, Sum: s.mark.Sum, Rows: s.read})
	}
	return s.page(p)
}

func (s *sheet) page(p connectors.Page) error {
	record, first, lines := s.batch.Take()
	p.Batch, p.Rejects = record, s.rejects
	p.Origin = connectors.Origin{File: s.label, Line: first, Lines: lines}
	s.rejects = nil
	if !s.yield(p, nil) {
		return errStop
	}
	return nil
}
