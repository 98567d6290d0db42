// Package archtest owns the walls between packages: which may not import which, and why. It holds
// no code of the product; its test reads every package's imports and names the wall that was broken.
package archtest
