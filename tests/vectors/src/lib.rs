//! Test vectors, run against Abeng's own code. The tests are in `tests/`; published vectors with their
//! sources are in `data/`, those of Abeng's own formats, of what must be refused, in `negative/`.
