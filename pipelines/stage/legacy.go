package stage

import "xinshu/catalog"

// registrationFamily is the one family that says which numbers an entity has: its rows must name the
// entity itself, or nothing would tie the numbers to anybody.
const registrationFamily = "registration"

// legacyNumber says whether a refused code is a number from before 2015 that a registration can tie to
// an entity: an organisation code or a registration number of 15 digits whose check character holds.
// The 13 digits from before 2007 have none, so that a slip would go unseen; a number that may as well
// be a person's of before 1999 is never stored in clear. Both stay in quarantine.
func (c *contract) legacyNumber(v catalog.Verdict) bool {
	if c.family.ID == registrationFamily {
		return false
	}
	switch v.Reason {
	case catalog.IDLegacyReg:
		_, person := catalog.MaskIDs(v.Normalized)
		return catalog.RegNoValid(v.Normalized) && !person
	case catalog.IDLegacyOrg:
		return catalog.OrgCodeValid(v.Normalized)
	}
	return false
}

// The warnings of rows that are accepted under such a number; shared, so that a row allocates nothing.
var (
	warnLegacyReg = []string{LegacyReg}
	warnLegacyOrg = []string{LegacyOrg}
)

func legacyWarning(reason string) []string {
	if reason == LegacyOrg {
		return warnLegacyOrg
	}
	return warnLegacyReg
}
