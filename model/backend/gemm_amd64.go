package backend

import "golang.org/x/sys/cpu"

// vectorized says whether matmulVector can run.
var vectorized = cpu.X86.HasAVX2

// matmulVector is matmul for m a multiple of 4 and n a multiple of 8.
func matmulVector(m, n, k int, a []float32, ra, ca int, b []float32, ldb int, c []float32, ldc int) {
	for j := 0; j < n; {
		if n-j >= 16 {
			for i := 0; i < m; i += 4 {
				matmul4x16(k, &a[i*ra], ra, ca, &b[j], ldb, &c[i*ldc+j], ldc)
			}
			j += 16
			continue
		}
		for i := 0; i < m; i += 4 {
			matmul4x8(k, &a[i*ra], ra, ca, &b[j], ldb, &c[i*ldc+j], ldc)
		}
		j += 8
	}
}

// matmul4x8 is matmul for four rows and eight columns. AVX2, k >= 1.
//
//go:noescape
func matmul4x8(k int, a *float32, ra, ca int, b *float32, ldb int, c *float32, ldc int)

// matmul4x16 is matmul for four rows and sixteen columns. AVX2, k >= 1.
//
//go:noescape
func matmul4x16(k int, a *float32, ra, ca int, b *float32, ldb int, c *float32, ldc int)
