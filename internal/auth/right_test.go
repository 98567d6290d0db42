package auth

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The whole table, written out: who changes a right changes it here too, and reviewers see it.
const table = `
                   administrator steward credit_office auditor department_user township_user third_party downstream
anyone             x x x x x x x x
self               x x x x x x x x
overview.see       x x x x - - - -
sources.see        x x - x - - - -
sources.change     x - - - - - - -
schedules.see      x x - x - - - -
schedules.change   x - - - - - - -
runs.see           x x x x - - - -
runs.start         x x - - - - - -
catalogue.see      x x x x x - - -
catalogue.propose  - x - - - - - -
catalogue.approve  - x x - - - - -
quarantine.see     - x - x x - - -
quarantine.mend    - x - - x - - -
feeds.release      - x x - - - - -
identity.change    - x - - - - - -
grades.sum         x x x x x x - -
grades.see         - x x x x x x x
grades.export      - - x - - - - x
cases.see          - x x x x - - -
cases.open         - x x - x - - -
cases.decide       - - x - - - - -
policies.see       x x x x - - - -
policies.propose   - x x - - - - -
policies.approve   - - x - - - - -
deliveries.see     x x x x - - - -
deliveries.change  x - - - - - - -
targets.see        x x x x - - - -
targets.change     x - - - - - - -
receipts.post      - - - - - - - x
users.see          x - - x - - - -
users.change       x - - - - - - -
keys.see           x - - x - - - -
keys.change        x - - - - - - -
audit.see          x - - x - - - -
alerts.see         x x x x - - - -
alerts.answer      x x x - - - - -
metrics.see        x - - x - - - -
`

// read gives the table as right, role and whether the one has the other.
func read(t *testing.T) (rights []Right, roles []Role, given map[Right][]bool) {
	t.Helper()
	given = map[Right][]bool{}
	for line := range strings.Lines(strings.TrimSpace(table)) {
		cells := strings.Fields(line)
		if roles == nil {
			for _, c := range cells {
				roles = append(roles, Role(c))
			}
			continue
		}
		if len(cells) != 1+len(roles) {
			t.Fatalf("the line %q has %d cells", line, len(cells))
		}
		r := Right(cells[0])
		rights = append(rights, r)
		for _, c := range cells[1:] {
			given[r] = append(given[r], c == "x")
		}
	}
	return rights, roles, given
}

func TestEveryRoleHasTheRightsOfTheTableAndNoOther(t *testing.T) {
	rights, roles, given := read(t)
	if !slices.Equal(roles, Roles) {
		t.Fatalf("the table's roles are %v, the code's %v", roles, Roles)
	}
	for _, r := range rights {
		for i, role := range roles {
			if has := (Actor{ID: "user:x", Roles: []Role{role}}).May(r); has != given[r][i] {
				t.Errorf("%s has %s: %v, the table says %v", role, r, has, given[r][i])
			}
		}
	}
}

// A right that the code declares and the table does not list would be tested by nobody.
func TestTheTableListsEveryRightThatIsDeclared(t *testing.T) {
	rights, _, _ := read(t)
	file, err := parser.ParseFile(token.NewFileSet(), "right.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var declared []Right
	ast.Inspect(file, func(n ast.Node) bool {
		if v, ok := n.(*ast.ValueSpec); ok {
			if id, ok := v.Type.(*ast.Ident); ok && id.Name == "Right" {
				text, err := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
				if err != nil {
					t.Fatal(err)
				}
				declared = append(declared, Right(text))
			}
		}
		return true
	})
	slices.Sort(declared)
	slices.Sort(rights)
	if !slices.Equal(declared, rights) {
		t.Errorf("declared %v, in the table %v", declared, rights)
	}
}

func TestAKeyHasAtMostTheRightsItNames(t *testing.T) {
	a := Actor{ID: "user:x", Roles: []Role{Steward}, Only: []Right{RunsSee, UsersChange}}
	for r, want := range map[Right]bool{RunsSee: true, GradesSee: false, UsersChange: false, Self: true, Anyone: true} {
		if a.May(r) != want {
			t.Errorf("%s: %v", r, a.May(r))
		}
	}
	a.Only = []Right{}
	if a.May(RunsSee) {
		t.Error("a key that names no right has one")
	}
	if (Actor{}).May(Self) || !(Actor{}).May(Anyone) {
		t.Error("nobody is somebody")
	}
}
