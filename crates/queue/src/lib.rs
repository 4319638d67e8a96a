//! Abeng's store-and-forward engine, sans-IO, and its view.
