//go:build !amd64

package backend

// vectorized says whether matmulVector can run.
const vectorized = false

// matmulVector is never called where vectorized is false.
func matmulVector(m, n, k int, a []float32, ra, ca int, b []float32, ldb int, c []float32, ldc int) {
	matmulPlain(m, n, k, a, ra, ca, b, ldb, c, ldc)
}
