package desk

import (
	"context"
	"encoding/json"

	"xinshu/internal/auth"
	"xinshu/internal/fault"
	"xinshu/internal/results"
)

// Search asks for entities by code, beginning of a code, or part of a name.
type Search struct {
	Text    string
	Purpose string
	After   string // the code that the last page ended with
	Most    int    // 0: 20
}

// Hit is an entity that was found, with its newest published grades.
type Hit struct {
	results.Entity
	Grades []Standing `json:"grades"`
}

// Standing is an entity's newest published grade under one policy; without a grade it was retracted.
type Standing struct {
	Policy  string `json:"policy"`
	Grade   string `json:"grade,omitempty"`
	Class   string `json:"class,omitempty"`
	Score   string `json:"score,omitempty"`
	AsOf    string `json:"as_of"`
	Trial   bool   `json:"trial"`
	Version int64  `json:"version"`
}

// Found is one page of a search; Next is where the following page begins, empty at the end.
type Found struct {
	Hits []Hit  `json:"hits"`
	Next string `json:"next,omitempty"`
}

// mostHits bounds a page.
const mostHits = 100

// Search finds entities that the actor may see. The purpose is kept with the question.
func (d *Desk) Search(ctx context.Context, s Search) (Found, error) {
	if err := purposed(ctx, "search", s.Purpose); err != nil {
		return Found{}, err
	}
	if s.Most <= 0 || s.Most > mostHits {
		s.Most = 20
	}
	scope := auth.From(ctx).Scope
	var entities []results.Entity
	err := d.registry(ctx, func(r *results.Registry) (err error) {
		entities, err = r.Find(ctx, results.Query{Text: s.Text, Areas: scope.Areas, Industries: scope.Industries, Entities: scope.Entities, After: s.After, Most: s.Most + 1})
		return err
	})
	if err != nil {
		return Found{}, err
	}
	var found Found
	if len(entities) > s.Most {
		entities = entities[:s.Most]
		found.Next = entities[s.Most-1].USCC
	}
	if err := d.searched(ctx, s, len(entities)); err != nil {
		return Found{}, err
	}
	found.Hits, err = d.graded(ctx, entities)
	return found, err
}

// graded lays the newest published grades beside entities.
func (d *Desk) graded(ctx context.Context, entities []results.Entity) ([]Hit, error) {
	policies, codes := []string{}, make([]string, len(entities))
	for _, p := range d.Policies(ctx) {
		policies = append(policies, p.ID)
	}
	hits := make([]Hit, len(entities))
	at := map[string]int{}
	for i, e := range entities {
		hits[i] = Hit{Entity: e, Grades: []Standing{}}
		codes[i], at[e.USCC] = e.USCC, i
	}
	standings, err := d.State.Standings(ctx, policies, codes)
	if err != nil {
		return nil, err
	}
	for _, s := range standings {
		stands, err := standing(s.Policy, s.Body)
		if err != nil {
			return nil, err
		}
		h := &hits[at[s.USCC]]
		h.Grades = append(h.Grades, stands)
	}
	return hits, nil
}

func standing(policy string, body []byte) (Standing, error) {
	var c struct {
		Grade   string      `json:"grade"`
		Class   string      `json:"class"`
		Score   json.Number `json:"score"`
		AsOf    string      `json:"as_of"`
		Trial   bool        `json:"trial"`
		Version int64       `json:"version"`
	}
	if err := json.Unmarshal(body, &c); err != nil {
		return Standing{}, fault.Newf(fault.Internal, "read a published grade", "%w", err)
	}
	return Standing{Policy: policy, Grade: c.Grade, Class: c.Class, Score: c.Score.String(), AsOf: c.AsOf, Trial: c.Trial, Version: c.Version}, nil
}
