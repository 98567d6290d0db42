package score

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"xinshu/catalog"
	"xinshu/internal/chain"
	"xinshu/internal/duck"
	"xinshu/internal/fault"
	"xinshu/internal/grading"
)

// Seal is what a score can be repeated from, and must then give the same hashes. They are over
// canonical rows, UTF-8, separated by tabs, ordered by code and indicator; the registry's ids and
// Parquet's bytes are not in them.
type Seal struct {
	Policy       string       `json:"policy"`
	AsOf         string       `json:"as_of"`
	CorrectedTo  string       `json:"corrected_to"`
	KnownSeq     int64        `json:"known_seq"`
	MarksSeq     int64        `json:"marks_seq"`
	PolicySHA256 string       `json:"policy_sha256"`
	SQLSHA256    string       `json:"sql_sha256"`
	Engine       chain.Engine `json:"engine"`
	Entities     int64        `json:"entities"`
	InputSHA256  string       `json:"input_sha256"`
	GradeSHA256  string       `json:"grade_sha256"`
	PointsSHA256 string       `json:"points_sha256"`
	Trial        bool         `json:"trial"`
	Intent       string       `json:"intent"`
}

// JSON writes the seal as it is stored.
func (s Seal) JSON() []byte {
	text, err := json.Marshal(s)
	if err != nil {
		panic(err) // strings and whole numbers always marshal
	}
	return append(text, '\n')
}

// Clocks reads the clocks back.
func (s Seal) Clocks() (Clocks, error) {
	asOf, err := catalog.ParseDate(s.AsOf)
	if err != nil {
		return Clocks{}, fmt.Errorf("read seal of %s: %w", s.Policy, err)
	}
	correctedTo, err := catalog.ParseDate(s.CorrectedTo)
	if err != nil {
		return Clocks{}, fmt.Errorf("read seal of %s: %w", s.Policy, err)
	}
	return Clocks{AsOf: asOf, CorrectedTo: correctedTo, KnownSeq: s.KnownSeq, MarksSeq: s.MarksSeq}, nil
}

// The canonical rows. What a result says of an entity is in them; what only describes the entity
// (name, division, industry) is not.
const (
	gradeRows = `select uscc, score, plus_points, minus_points, grade, class, override, listed, next_review_on
		from sealed_grade order by uscc`
	pointsRows = `select uscc, indicator, delta, records from sealed_points order by uscc, indicator`
	inputRows  = `select uscc, digest from sealed_input order by uscc`
)

// inputDigest gives each entity one digest of what scoring saw of it: its registration and each of
// its records. Their own order does not matter: the rows' hashes are put in order.
const inputDigest = `select uscc, sha256(string_agg(h, '' order by h)) as digest
	from (
		select r.uscc, md5(concat_ws('|', r.record_id, r.kind, r.level, r.decided_on, r.valid_from, coalesce(r.valid_until, date '2099-12-31'), r.status, r.row_sha)) as h
		from record as r
		union all
		select e.uscc, md5(concat_ws('|', e.category, coalesce(e.in_scope_from, date '2099-12-31'), coalesce(e.in_scope_until, date '2099-12-31'))) as h
		from entity as e
	)
	group by uscc`

// seal hashes what went in and what came out.
func (w work) seal(ctx context.Context, db *duck.DB, files []chain.File, groups []RangeGroup) (Seal, error) {
	trial, _ := w.policy.Trial(w.clocks.AsOf)
	s := Seal{Policy: w.policy.ID, AsOf: w.clocks.AsOf.String(), CorrectedTo: w.clocks.CorrectedTo.String(),
		KnownSeq: w.clocks.KnownSeq, MarksSeq: w.clocks.MarksSeq, PolicySHA256: w.policy.SHA256, SQLSHA256: w.models.SHA256,
		Engine: chain.Engine{DuckDB: duck.Version(), Xinshu: w.Xinshu}, Trial: trial}
	result := chain.Entry{Files: files}
	if err := w.outputs(ctx, db, result); err != nil {
		return Seal{}, err
	}
	for _, f := range result.Table("grade") {
		s.Entities += f.Rows
	}
	done, err := w.digest(ctx, db, groups)
	defer done()
	if err != nil {
		return Seal{}, err
	}
	for _, h := range []struct {
		rows string
		into *string
	}{{gradeRows, &s.GradeSHA256}, {pointsRows, &s.PointsSHA256}, {inputRows, &s.InputSHA256}} {
		sha, err := w.hash(ctx, db, h.rows)
		if err != nil {
			return Seal{}, err
		}
		*h.into = sha
	}
	return s, nil
}

// outputs makes the views that the canonical rows of a result are read from.
func (w work) outputs(ctx context.Context, db *duck.DB, result chain.Entry) error {
	for _, model := range w.models.Models {
		if model.Name != "grade" && model.Name != "points" {
			continue
		}
		if err := w.view(ctx, db, "sealed_"+model.Name, result.Table(model.Name), model.Columns); err != nil {
			return err
		}
	}
	return nil
}

// rehash hashes the canonical rows of a committed result again.
func (w work) rehash(ctx context.Context, result chain.Entry) (grade, points string, err error) {
	if w.models, err = grading.Load(w.SQL); err != nil {
		return "", "", err
	}
	db, err := duck.Open(w.Duck)
	if err != nil {
		return "", "", err
	}
	defer func() { err = closed(err, db) }()
	if err := w.outputs(ctx, db, result); err != nil {
		return "", "", err
	}
	if grade, err = w.hash(ctx, db, gradeRows); err != nil {
		return "", "", err
	}
	points, err = w.hash(ctx, db, pointsRows)
	return grade, points, err
}

// digest writes the digests of what went in, range by range, to local files under the view
// sealed_input. The caller calls done when they are read.
func (w work) digest(ctx context.Context, db *duck.DB, groups []RangeGroup) (done func(), err error) {
	var paths []string
	done = func() {
		for _, path := range paths {
			_ = os.Remove(path) // in the temporary folder, which is swept
		}
	}
	for _, g := range groups {
		for _, one := range g.each() {
			if err := w.views(ctx, db, one.Records, one.Entities); err != nil {
				return done, err
			}
			if err := w.models.Materialise(ctx, db, "rating_end"); err != nil {
				return done, err
			}
			path := filepath.Join(w.Lake.TempDir(), "score-"+w.run+"-input-"+strconv.Itoa(len(paths))+".parquet")
			paths = append(paths, path)
			if _, err := db.Copy(ctx, inputDigest, path); err != nil {
				return done, err
			}
		}
	}
	return done, db.View(ctx, "sealed_input", paths, []duck.Column{{Name: "uscc", Type: "VARCHAR"}, {Name: "digest", Type: "VARCHAR"}})
}

// hash sorts and writes the rows in DuckDB, which spills when they are many, and hashes the file.
func (w work) hash(ctx context.Context, db *duck.DB, rows string) (sha string, err error) {
	path := filepath.Join(w.Lake.TempDir(), "score-"+w.run+"-canonical.tsv")
	defer func() {
		if bad := os.Remove(path); err == nil && bad != nil {
			sha, err = "", fmt.Errorf("remove canonical rows: %w", bad)
		}
	}()
	err = db.Exec(ctx, "copy (\n"+rows+"\n) to "+duck.Text(path)+` (format csv, header false, delimiter e'\t', quote '', escape '', nullstr '')`)
	if err != nil {
		return "", err
	}
	f, err := os.Open(path)
	if err != nil {
		return "", &fault.Error{Op: "hash canonical rows", Code: fault.Internal, Err: err}
	}
	defer func() { _ = f.Close() }() // read only
	digest := sha256.New()
	if _, err := io.Copy(digest, f); err != nil {
		return "", &fault.Error{Op: "hash canonical rows", Code: fault.Internal, Err: err}
	}
	return hex.EncodeToString(digest.Sum(nil)), nil
}

// seals reads a policy's seals, by hash.
func (s *Scorer) seals(ctx context.Context, policy string) (map[string]Seal, error) {
	bodies, err := s.Seals(ctx, policy)
	if err != nil {
		return nil, err
	}
	seals := map[string]Seal{}
	for sha, body := range bodies {
		var seal Seal
		if err := json.Unmarshal(body, &seal); err != nil {
			return nil, fault.Newf(fault.Internal, "read seal "+sha, "%w", err)
		}
		seals[sha] = seal
	}
	return seals, nil
}

// firstSeal gives the seal of the first result of a cut-off date: the one that knew least.
func (s *Scorer) firstSeal(ctx context.Context, policy string, asOf catalog.Date) (first Seal, found bool, err error) {
	seals, err := s.seals(ctx, policy)
	if err != nil {
		return Seal{}, false, err
	}
	for _, seal := range seals {
		if seal.AsOf == asOf.String() && seal.CorrectedTo == seal.AsOf && (!found || seal.KnownSeq < first.KnownSeq) {
			first, found = seal, true
		}
	}
	return first, found, nil
}
