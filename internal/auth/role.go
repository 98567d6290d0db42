// Package auth owns who somebody is and what they may do: roles, rights, and the actor that a
// request is made by. It refuses to know what the rights guard, and to keep anything itself: users,
// sessions and keys lie in run state. An actor enters where a request comes in, walks with the
// context, and is read by the desk.
package auth

import "slices"

// Role is what an installation gives a person or a program to be.
type Role string

// The roles. A person may have several; what each may do stands in rights.go.
const (
	Administrator  Role = "administrator"   // connects, schedules, manages users; sees no entity's data
	Steward        Role = "steward"         // reviews the catalogue, mends refused rows, settles identities
	CreditOffice   Role = "credit_office"   // answers for grades, objections, repairs and policies
	Auditor        Role = "auditor"         // sees everything that was done, changes nothing
	DepartmentUser Role = "department_user" // the own department's datasets, refused rows and cases; any entity's grade
	TownshipUser   Role = "township_user"   // grades of the own area
	ThirdParty     Role = "third_party"     // grades in the scope and the term it was approved for
	Downstream     Role = "downstream"      // a platform that reads grades and changes and answers with receipts
)

// Roles lists every role, in the order in which screens show them.
var Roles = []Role{Administrator, Steward, CreditOffice, Auditor, DepartmentUser, TownshipUser, ThirdParty, Downstream}

// Known says that a word names a role.
func (r Role) Known() bool { return slices.Contains(Roles, r) }
