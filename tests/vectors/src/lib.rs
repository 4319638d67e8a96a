//! Published test vectors.
