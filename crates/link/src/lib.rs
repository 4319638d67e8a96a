//! QUIC links between Abeng nodes.
