// Package dataset turns synthetic scenes and labelled captures into labelled
// maps, by the device's own code: a scene's frames are decoded, tracked and
// looked at by the same Engine that runs on a router, and each map that it
// looks at becomes a sample. So the network is trained on just what it will
// be asked.
package dataset
