use bytes::Bytes;

/// The pre-authentication encoding of DSSE: `"DSSEv1 " len(type) " " type " " len(b) " " b`,
/// lengths in decimal.
///
/// Source: <https://github.com/secure-systems-lab/dsse/blob/master/protocol.md>.
pub fn pae(kind: &str, body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(32 + kind.len() + body.len());
    out.extend_from_slice(b"DSSEv1 ");
    out.extend_from_slice(kind.len().to_string().as_bytes());
    out.push(b' ');
    out.extend_from_slice(kind.as_bytes());
    out.push(b' ');
    out.extend_from_slice(body.len().to_string().as_bytes());
    out.push(b' ');
    out.extend_from_slice(body);
    out
}

/// The full type string of a signature, from its short name: `envelope.v1` becomes
/// `application/vnd.abeng.envelope.v1`.
pub fn pae_signature_type(short: &str) -> String {
    format!("application/vnd.abeng.{short}")
}

/// Signed bytes as a type of their own: see [`crate::SignedBytes`].
pub(crate) type Raw = Bytes;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dsse_published_example() {
        // From the DSSE protocol document.
        assert_eq!(
            pae("http://example.com/HelloWorld", b"hello world"),
            b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
        );
    }

    #[test]
    fn empty_parts_keep_their_lengths() {
        assert_eq!(pae("", b""), b"DSSEv1 0  0 ");
    }
}
