"""Hỏi Một Cửa: which office handles this procedure, for me, here, today, by what decision."""

import os

# Before numpy is loaded: our matrices are small, and a second thread of BLAS spins more than it computes; with one,
# a message costs less than a third of the processor time and is answered no later.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
