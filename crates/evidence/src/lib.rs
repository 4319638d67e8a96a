//! Abeng evidence and contradiction files: build them, verify them offline.
