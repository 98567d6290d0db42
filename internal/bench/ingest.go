package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"time"

	"xinshu/internal/fault"
)

// IngestOptions say how much is measured and where.
type IngestOptions struct {
	Rows     int64  // 0: 1,000,000
	Repeat   int    // each path runs so often and its best counts; 0: 2
	Dir      string // for the files; the caller takes it away
	Postgres string // address of a server that the bench may fill a table on; empty: the rows are not read from PostgreSQL
	Child    func(ctx context.Context, p Part) *exec.Cmd
	Tell     func(string)
}

// Part is one path of the measurement, run in a process of its own so that its memory is its own.
type Part struct {
	Name     string // duck-csv, duck-json, csv, gb18030, json, postgres-pull, postgres
	Dir      string
	Rows     int64
	Postgres string
	Pages    string // address of the JSON pages
}

// Figure is what one path took.
type Figure struct {
	WallS  float64 `json:"wall_s"`
	CPUS   float64 `json:"cpu_s"`
	PeakMB int64   `json:"peak_mb"`
	Bytes  int64   `json:"bytes"` // of the Parquet files it wrote; of ours the rows table alone
	Same   int64   `json:"same_rows_bytes,omitempty"`
}

// Ingest is what bench ingest prints. The ratios are of wall time, as the issue has them; beside them
// stand those of processor time, which a busy machine disturbs less.
type Ingest struct {
	CSV          float64            `json:"csv_ratio"`
	GB18030      float64            `json:"gb18030_ratio"` // against the yardstick of the UTF-8 twin
	JSON         float64            `json:"json_ratio"`
	Postgres     *float64           `json:"postgres_rows_per_cpu_s"` // pulled into pages; null: no server
	Size         float64            `json:"size_ratio"`              // our rows table over DuckDB's file of the same rows and columns
	PeakMB       int64              `json:"peak_mb"`                 // the greatest of our paths from files
	Rows         int64              `json:"rows"`
	CSVCPU       float64            `json:"csv_cpu_ratio"`
	GB18030CPU   float64            `json:"gb18030_cpu_ratio"`
	JSONCPU      float64            `json:"json_cpu_ratio"`
	PostgresFull *float64           `json:"postgres_staged_rows_per_cpu_s"`
	SizeInput    float64            `json:"input_size_ratio"` // our rows table, with its hashes and places, over DuckDB's file of the twelve columns
	Dataset      string             `json:"dataset"`
	Threads      int                `json:"threads"`
	Paths        map[string]*Figure `json:"paths"`
}

// RunIngest writes the rows, runs each path several times in turn, and compares the best of each.
func RunIngest(ctx context.Context, o IngestOptions) (Ingest, error) {
	if o.Rows == 0 {
		o.Rows = 1_000_000
	}
	if o.Repeat == 0 {
		o.Repeat = 2
	}
	if o.Tell == nil {
		o.Tell = func(string) {}
	}
	in := Ingest{Rows: o.Rows, Dataset: benchDataset, Threads: runtime.NumCPU(), Paths: map[string]*Figure{}}
	o.Tell(fmt.Sprintf("writing %d rows as CSV, GB18030 and JSON", o.Rows))
	if err := writeFiles(o.Dir, o.Rows); err != nil {
		return in, fault.Newf(fault.Internal, "write the bench's files", "%w", err)
	}
	address, stop, err := servePages(ctx, o.Dir)
	if err != nil {
		return in, err
	}
	defer stop()
	names := []string{"duck-csv", "csv", "gb18030", "duck-json", "json"}
	if o.Postgres != "" {
		o.Tell("filling a table in PostgreSQL")
		drop, err := fillTable(ctx, o.Postgres, o.Rows)
		if err != nil {
			return in, err
		}
		defer drop()
		names = append(names, "postgres-pull", "postgres")
	}
	for range o.Repeat {
		for _, name := range names {
			f, err := o.run(ctx, Part{Name: name, Dir: o.Dir, Rows: o.Rows, Postgres: o.Postgres, Pages: address})
			if err != nil {
				return in, err
			}
			o.Tell(fmt.Sprintf("%s: %.2f s, processor %.2f s, peak %d MB, %d MB written", name, f.WallS, f.CPUS, f.PeakMB, f.Bytes>>20))
			in.note(name, f)
		}
	}
	in.compare()
	return in, nil
}

// note keeps the best time of a path, and its greatest memory.
func (in *Ingest) note(name string, f Figure) {
	best := in.Paths[name]
	if best == nil {
		in.Paths[name] = &f
		return
	}
	best.WallS, best.CPUS = min(best.WallS, f.WallS), min(best.CPUS, f.CPUS)
	best.PeakMB = max(best.PeakMB, f.PeakMB)
}

func (in *Ingest) compare() {
	csv, gb, page := in.Paths["csv"], in.Paths["gb18030"], in.Paths["json"]
	duckCSV, duckJSON := in.Paths["duck-csv"], in.Paths["duck-json"]
	in.CSV, in.CSVCPU = csv.WallS/duckCSV.WallS, csv.CPUS/duckCSV.CPUS
	in.GB18030, in.GB18030CPU = gb.WallS/duckCSV.WallS, gb.CPUS/duckCSV.CPUS
	in.JSON, in.JSONCPU = page.WallS/duckJSON.WallS, page.CPUS/duckJSON.CPUS
	in.Size = float64(csv.Bytes) / float64(csv.Same)
	in.SizeInput = float64(csv.Bytes) / float64(duckCSV.Bytes)
	in.PeakMB = max(csv.PeakMB, gb.PeakMB, page.PeakMB)
	perCPU := func(name string) *float64 {
		f := in.Paths[name]
		if f == nil {
			return nil
		}
		rate := float64(in.Rows) / f.CPUS
		return &rate
	}
	in.Postgres, in.PostgresFull = perCPU("postgres-pull"), perCPU("postgres")
}

func (o *IngestOptions) run(ctx context.Context, p Part) (f Figure, err error) {
	cmd := o.Child(ctx, p)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return f, fault.Newf(fault.Internal, "measure "+p.Name, "%w: %s", err, errs.String())
	}
	if err := json.Unmarshal(out.Bytes(), &f); err != nil {
		return f, fault.Newf(fault.Internal, "measure "+p.Name, "%w", err)
	}
	return f, nil
}

// servePages stands in for a platform: page n is the n-th file, and behind the last one an empty page.
func servePages(ctx context.Context, dir string) (address string, stop func(), err error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, fault.Newf(fault.Internal, "serve the JSON pages", "%w", err)
	}
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.ParseInt(r.URL.Query().Get("page"), 10, 64)
		w.Header().Set("Content-Type", "application/json")
		if _, err := os.Stat(pageFile(dir, n)); err != nil {
			_, _ = w.Write([]byte("[]"))
			return
		}
		http.ServeFile(w, r, pageFile(dir, n))
	})}
	go func() { _ = server.Serve(listener) }()
	return "http://" + listener.Addr().String(), func() { _ = server.Close() }, nil
}

// folder gives a path a place of its own inside the measurement's folder.
func (p Part) folder() string { return filepath.Join(p.Dir, "out-"+p.Name) }
