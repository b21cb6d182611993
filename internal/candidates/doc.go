// Package candidates compares networks that could have been shipped: each is
// trained on the same synthetic maps and scored on the same others, with its
// cost in int8 on this machine. It is how the shipped architecture was chosen.
//
// In come scene seeds, out come figures, one line for each Candidate. Like
// package model, of which it is a user, it never is part of what runs on a
// device.
package candidates
