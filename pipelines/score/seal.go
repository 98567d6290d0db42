package score

import (
	"context"
	"encoding/json"
	"fmt"

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

// seal hashes what went in and what came out.
func (w work) seal(files []chain.File, rows *canonical) (Seal, error) {
	trial, _ := w.policy.Trial(w.clocks.AsOf)
	s := Seal{Policy: w.policy.ID, AsOf: w.clocks.AsOf.String(), CorrectedTo: w.clocks.CorrectedTo.String(),
		KnownSeq: w.clocks.KnownSeq, MarksSeq: w.clocks.MarksSeq, PolicySHA256: w.policy.SHA256, SQLSHA256: w.models.SHA256,
		Engine: chain.Engine{DuckDB: duck.Version(), Xinshu: w.Xinshu}, Trial: trial}
	for _, f := range files {
		if f.Table == "grade" {
			s.Entities += f.Rows
		}
	}
	var err error
	for table, into := range map[string]*string{"grade": &s.GradeSHA256, "points": &s.PointsSHA256, "input": &s.InputSHA256} {
		if *into, err = rows.hash(table); err != nil {
			return Seal{}, err
		}
	}
	return s, nil
}

// rehash hashes the canonical rows of a committed result again, file by file as scoring wrote them.
func (w work) rehash(ctx context.Context, result chain.Entry) (grade, points string, err error) {
	if w.models, err = grading.Load(w.SQL); err != nil {
		return "", "", err
	}
	db, err := duck.Open(w.Duck)
	if err != nil {
		return "", "", err
	}
	defer func() { err = closed(err, db) }()
	rows, err := newCanonical(w.Lake.TempDir())
	if err != nil {
		return "", "", err
	}
	defer rows.remove()
	for _, model := range w.models.Models {
		if model.Name != "grade" && model.Name != "points" {
			continue
		}
		for _, f := range result.Table(model.Name) {
			if err := w.view(ctx, db, model.Name, []chain.File{f}, model.Columns); err != nil {
				return "", "", err
			}
			if err := rows.add(ctx, db, model.Name); err != nil {
				return "", "", err
			}
		}
	}
	if grade, err = rows.hash("grade"); err != nil {
		return "", "", err
	}
	points, err = rows.hash("points")
	return grade, points, err
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
