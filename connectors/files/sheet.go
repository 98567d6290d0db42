package files

import (
	"xinshu/connectors"
	"xinshu/connectors/jsonrows"
)

// sheet turns the rows of one file into pages. A page goes out when the row after it arrives, so that
// the last one carries the cursor behind the file, and its handle.
type sheet struct {
	job          job
	name         string // of the file
	sum          string
	stamp        short8
	stampRefused short8
	at           *taken
	last         bool   // no file follows in this pull
	from         inside // where an earlier pull stopped
	yield        func(connectors.Page, error) bool

	label   string // of the content in hand
	member  int    // its number in the file
	closes  bool   // nothing follows it in the file
	refused bool   // a content of the file was
	skip    int64  // rows of it that an earlier pull took
	read    int64
	batch   *connectors.Batch
	rejects []connectors.Reject
	pages   int
}

// open begins a content of the file.
func (s *sheet) open(member int, data content, closes bool) {
	s.member, s.label, s.closes, s.read, s.skip, s.batch = member, data.label, closes, 0, 0, nil
	if member == s.from.Member {
		s.skip, s.refused = s.from.Rows, s.refused || s.from.Refused
	}
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

// cut ends the page in hand: what follows has another label.
func (s *sheet) cut(label string) error {
	if s.batch != nil && s.batch.Rows()+len(s.rejects) > 0 {
		if err := s.send(false); err != nil {
			return err
		}
	}
	s.label = label
	return nil
}

func (s *sheet) reject(r connectors.Reject) { s.rejects = append(s.rejects, r) }

// refuse gives the content in hand up as one reject. A file of which anything was refused stays where
// it is, remembered, until it, its companion or the settings are mended.
func (s *sheet) refuse(reason string, line int64, what string) error {
	s.refused = true
	s.batch = connectors.NewBatch(s.job.rows)
	s.rejects = []connectors.Reject{{Line: line, Reason: reason, Value: jsonrows.Excerpt([]byte(what)), File: true}}
	return s.send(true)
}

// refuseFile gives the file up before anything of it was read.
func (s *sheet) refuseFile(reason, what string) error {
	s.closes = true
	return s.refuse(reason, 0, what)
}

// end sends what is left, even if that is no row: the cursor must say that the content was read.
func (s *sheet) end() error {
	if s.batch == nil {
		s.batch = connectors.NewBatch(s.job.rows)
	}
	return s.send(true)
}

func (s *sheet) send(ends bool) error {
	if !ends {
		return s.page(connectors.Page{Next: s.at.cursor(s.place(s.member, s.read), false)})
	}
	if !s.closes {
		return s.page(connectors.Page{Next: s.at.cursor(s.place(s.member+1, 0), false)})
	}
	p := connectors.Page{}
	if s.refused {
		s.at.refuse(s.name, s.stampRefused)
	} else {
		s.at.take(s.name, s.stamp, s.sum)
		if s.job.done != "" {
			p.Taken = []string{s.sum + " " + s.name}
		}
	}
	if s.job.newest {
		s.at.newest = s.name
		p.Whole = !s.refused
	}
	p.Next = s.at.cursor(nil, s.last)
	return s.page(p)
}

func (s *sheet) place(member int, rows int64) *inside {
	return &inside{Name: s.name, Sum: s.sum, Member: member, Rows: rows, Refused: s.refused}
}

func (s *sheet) page(p connectors.Page) error {
	record, first, lines := s.batch.Take()
	p.Batch, p.Rejects = record, s.rejects
	p.Origin = connectors.Origin{File: s.label, Line: first, Lines: lines}
	s.rejects = nil
	s.pages++
	if !s.yield(p, nil) {
		return errStop
	}
	return nil
}
