package files

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/apache/thrift/lib/go/thrift"
)

// Bounds of a Parquet file. The reader keeps one page of each column in memory, packed and unpacked.
const (
	maxPage       = 128 << 20 // unpacked
	maxPages      = 512 << 20 // the largest page of each column of a row group, together
	maxPageHeader = 1 << 20
	maxPageValues = 1 << 26
	fewRows       = 1 << 20 // up to here a file may have more rows than bytes
	rowsPerByte   = 20
)

// check walks over the pages of all columns before any is unpacked: their sizes against the bounds, and
// their checksums, which Arrow's reader does not compare, where the writer left any.
func (p *parquetFile) check(ctx context.Context) (err error) {
	defer p.guard(&err)
	meta := p.rdr.MetaData()
	if rows := p.rdr.NumRows(); rows < 0 || rows > fewRows && rows > rowsPerByte*p.size {
		return &refusal{parquetLimit, 0, fmt.Sprintf("%d rows in %d bytes", rows, p.size)}
	}
	total := int64(0)
	for g := range p.rdr.NumRowGroups() {
		group := meta.RowGroup(g)
		held := int64(0)
		for i := range group.NumColumns() {
			if err := ctx.Err(); err != nil {
				return err
			}
			p.where = fmt.Sprintf("row group %d, column %s", g+1, meta.Schema.Column(i).Path())
			column, err := group.ColumnChunk(i)
			if err != nil {
				return p.broken(0, err)
			}
			from := column.DataPageOffset()
			if at := column.DictionaryPageOffset(); column.HasDictionaryPage() && at > 0 && at < from {
				from = at
			}
			n := column.TotalCompressedSize()
			if from < 4 || n < 0 || from > p.size-8 || n > p.size-8-from {
				return p.broken(0, fmt.Errorf("its bytes %d to %d lie outside the file", from, from+n))
			}
			largest, err := p.chunk(io.NewSectionReader(p.in, from, n), column.NumValues())
			if err != nil {
				return err
			}
			held += largest
		}
		if held > maxPages {
			return &refusal{parquetLimit, 0, fmt.Sprintf("row group %d needs %d MB at once; write smaller pages", g+1, held>>20)}
		}
		total += group.NumRows()
	}
	if rows := p.rdr.NumRows(); rows != 0 && total != rows { // some writers leave it at 0
		return &refusal{parquetBroken, 0, fmt.Sprintf("the footer says %d rows, its row groups %d", rows, total)}
	}
	return nil
}

// chunk walks over the pages of one column, and gives the size of the largest.
func (p *parquetFile) chunk(in io.Reader, values int64) (largest int64, err error) {
	buffered := bufio.NewReaderSize(in, 64<<10)
	for seen := int64(0); seen < values; {
		h, err := readPageHeader(buffered)
		if err != nil {
			return 0, p.broken(0, fmt.Errorf("a page's header: %w", err))
		}
		switch {
		case h.packed < 0 || h.unpacked < 0 || h.values < 0:
			return 0, p.broken(0, errors.New("a page of less than nothing"))
		case h.unpacked > maxPage || h.packed > maxPage || h.values > maxPageValues:
			return 0, &refusal{parquetLimit, 0, fmt.Sprintf("%s: a page of %d bytes with %d values", p.where, h.unpacked, h.values)}
		case h.kind == dictionaryPage && h.values > h.unpacked:
			return 0, p.broken(0, fmt.Errorf("a dictionary of %d values in %d bytes", h.values, h.unpacked))
		}
		largest = max(largest, int64(h.packed)+int64(h.unpacked))
		sum := crc32.NewIEEE()
		if _, err := io.CopyN(sum, buffered, int64(h.packed)); err != nil {
			return 0, p.broken(0, errors.New("a page is cut"))
		}
		if h.summed && sum.Sum32() != h.crc {
			return 0, p.broken(0, fmt.Errorf("a page's checksum is %08x, its bytes give %08x: damaged on the way", h.crc, sum.Sum32()))
		}
		if h.kind != dictionaryPage {
			seen += int64(h.values)
		}
	}
	return largest, nil
}

// pageHeader is the part of a page's header that is needed here.
type pageHeader struct {
	kind, packed, unpacked, values int32
	crc                            uint32
	summed                         bool
}

const dictionaryPage = 2

// readPageHeader reads a header in Thrift's compact form and leaves the reader at the page's bytes.
func readPageHeader(in *bufio.Reader) (h pageHeader, err error) {
	ctx := context.Background()
	cfg := &thrift.TConfiguration{MaxMessageSize: maxPageHeader}
	proto := thrift.NewTCompactProtocolConf(&byteTransport{in, maxPageHeader}, cfg)
	err = fields(ctx, proto, func(id int16, kind thrift.TType) (bool, error) {
		number := map[int16]*int32{1: &h.kind, 2: &h.unpacked, 3: &h.packed}[id]
		switch {
		case number != nil && kind == thrift.I32:
			*number, err = proto.ReadI32(ctx)
			return true, err
		case id == 4 && kind == thrift.I32:
			crc, err := proto.ReadI32(ctx)
			h.crc, h.summed = uint32(crc), true // the bits are those of an unsigned number
			return true, err
		case (id == 5 || id == 7 || id == 8) && kind == thrift.STRUCT: // a data page, a dictionary, a data page of version 2
			return true, fields(ctx, proto, func(id int16, kind thrift.TType) (taken bool, err error) {
				if id == 1 && kind == thrift.I32 {
					h.values, err = proto.ReadI32(ctx)
					return true, err
				}
				return false, nil
			})
		}
		return false, nil
	})
	return h, err
}

// fields walks over the fields of a struct, skipping those that take leaves.
func fields(ctx context.Context, proto thrift.TProtocol, take func(id int16, kind thrift.TType) (taken bool, err error)) error {
	if _, err := proto.ReadStructBegin(ctx); err != nil {
		return err
	}
	for {
		_, kind, id, err := proto.ReadFieldBegin(ctx)
		if err != nil {
			return err
		}
		if kind == thrift.STOP {
			return proto.ReadStructEnd(ctx)
		}
		taken, err := take(id, kind)
		if err == nil && !taken {
			err = proto.Skip(ctx, kind)
		}
		if err != nil {
			return err
		}
		if err := proto.ReadFieldEnd(ctx); err != nil {
			return err
		}
	}
}

// byteTransport lets Thrift read no byte more than a header has.
type byteTransport struct {
	in   *bufio.Reader
	left int
}

func (t *byteTransport) ReadByte() (byte, error) {
	if t.left--; t.left < 0 {
		return 0, errors.New("longer than 1 MB")
	}
	return t.in.ReadByte()
}

func (t *byteTransport) Read(p []byte) (int, error) {
	if t.left -= len(p); t.left < 0 {
		return 0, errors.New("longer than 1 MB")
	}
	return t.in.Read(p)
}

func (t *byteTransport) RemainingBytes() uint64      { return uint64(max(t.left, 0)) } // never below zero
func (t *byteTransport) Write([]byte) (int, error)   { return 0, io.ErrClosedPipe }
func (t *byteTransport) Open() error                 { return nil }
func (t *byteTransport) Close() error                { return nil }
func (t *byteTransport) Flush(context.Context) error { return nil }
func (t *byteTransport) IsOpen() bool                { return true }
