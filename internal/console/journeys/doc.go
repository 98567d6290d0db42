// Package journeys owns whole ways of people through the console: one .mjs file each, run in a real
// Chromium against the real service over a small simulated province. It refuses to look inside the
// hub; what a person cannot see, a journey does not check. See internal/browsertest for what a
// script is called with.
package journeys
