//! Published test vectors, run against Abeng's own code. The tests are in `tests/`, the vectors
//! with their sources in `data/`.
