package backend

// matmul adds a product of matrices: c[i][j] += sum over p of a[i][p] * b[p][j]
// for i < m, j < n, p < k.
//
// Element [i][p] of a is at a[i*ra+p*ca], so that transposed matrices and
// overlapping windows need no copy; rows of b and c are contiguous, ldb and ldc
// apart. Each element of c adds its products one by one in the order of p,
// rounding after each multiplication and each addition, whatever kernel runs.
func matmul(m, n, k int, a []float32, ra, ca int, b []float32, ldb int, c []float32, ldc int) {
	if m == 0 || n == 0 || k == 0 {
		return
	}
	// The vector kernels know no lengths: check the last element that each
	// matrix has.
	_, _, _ = a[(m-1)*ra+(k-1)*ca], b[(k-1)*ldb+n-1], c[(m-1)*ldc+n-1]
	rows, columns := 0, 0
	if vectorized {
		rows, columns = m-m%4, n-n%8
		matmulVector(rows, columns, k, a, ra, ca, b, ldb, c, ldc)
	}
	if columns < n {
		matmulPlain(rows, n-columns, k, a, ra, ca, b[columns:], ldb, c[columns:], ldc)
	}
	if rows < m {
		matmulPlain(m-rows, n, k, a[rows*ra:], ra, ca, b, ldb, c[rows*ldc:], ldc)
	}
}

// matmulPlain is matmul in plain Go: the reference, and what runs on
// processors without a vector kernel and at the edges.
func matmulPlain(m, n, k int, a []float32, ra, ca int, b []float32, ldb int, c []float32, ldc int) {
	for i := range m {
		row := c[i*ldc:][:n]
		for p := range k {
			x := a[i*ra+p*ca]
			for j, y := range b[p*ldb:][:n] {
				row[j] += float32(x * y) // the conversion forbids a fused multiply-add
			}
		}
	}
}
