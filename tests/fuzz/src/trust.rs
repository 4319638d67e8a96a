//! Roots, rosters and what stands beside them.

use crate::world::{NOW, world};
use abeng_keys::{DualSigner, SignatureType, Signer};
use abeng_roster::{Freshness, Trust};
use abeng_wire::{decode, encode, limits, v1};
use bytes::Bytes;

/// A bundle from anyone. What is believed must have the root that is pinned.
pub fn bundle(data: &[u8]) -> bool {
    let data = Bytes::copy_from_slice(data);
    let Ok(bundle) = decode::<v1::TrustBundle>("bundle", &data, limits::TRUST_BUNDLE) else {
        return false;
    };
    believe(&bundle)
}

/// A roster as enough of its signers might sign it.
pub fn roster_signed(data: &[u8]) -> bool {
    let signed = sign(
        data,
        SignatureType::ROSTER,
        &world().founding.roster_signers,
    );
    let bundle = v1::TrustBundle {
        rosters: vec![signed.clone()],
        ..world().founding.bundle.clone()
    };
    let first = believe(&bundle);
    // And as the one after the one that holds.
    let mut bundle = world().founding.bundle.clone();
    bundle.rosters.push(signed);
    believe(&bundle) || first
}

/// A root as enough of its signers might sign it, as the one after the first.
pub fn root_signed(data: &[u8]) -> bool {
    let mut bundle = world().founding.bundle.clone();
    let signed = sign(data, SignatureType::ROOT, &world().founding.root_signers);
    bundle.roots.push(signed);
    believe(&bundle)
}

/// A freshness statement as its signer might sign it.
pub fn freshness_signed(data: &[u8]) -> bool {
    let Some(signer) = world().founding.freshness_signers.first() else {
        return false;
    };
    let bytes = Bytes::copy_from_slice(data);
    let Ok(signature) = signer.ed25519().sign(SignatureType::FRESHNESS, &bytes) else {
        return false;
    };
    let kid = world().founding.bundle.freshness.as_ref();
    let kid = kid.and_then(|f| Some(f.signatures.first()?.kid.clone()));
    let signed = v1::Signed {
        bytes,
        signatures: vec![v1::Signature {
            kid: kid.unwrap_or_default(),
            ed25519: Bytes::copy_from_slice(&signature),
            ..v1::Signature::default()
        }],
    };
    Freshness::verify(&world().trust.root, &signed, NOW).is_ok()
}

fn sign(data: &[u8], kind: SignatureType, signers: &[DualSigner]) -> v1::Signed {
    let signatures = signers.iter().filter_map(|s| s.sign(kind, data).ok());
    v1::Signed {
        bytes: Bytes::copy_from_slice(data),
        signatures: signatures.collect(),
    }
}

fn believe(bundle: &v1::TrustBundle) -> bool {
    let pinned = world().founding.root_digest;
    let Ok(trust) = Trust::from_bundle(bundle, Some(pinned), NOW) else {
        return false;
    };
    assert_eq!(trust.roster.network(), world().trust.roster.network());
    let _ = trust.check_time(NOW);
    true
}

/// Bundles that are right.
pub fn bundles() -> Vec<Vec<u8>> {
    vec![encode(&world().founding.bundle).to_vec()]
}

/// A roster that is right.
pub fn rosters() -> Vec<Vec<u8>> {
    vec![world().founding.bundle.rosters[0].bytes.to_vec()]
}

/// A root that is right.
pub fn roots() -> Vec<Vec<u8>> {
    vec![world().founding.bundle.roots[0].bytes.to_vec()]
}

/// A freshness statement that is right.
pub fn statements() -> Vec<Vec<u8>> {
    let freshness = world().founding.bundle.freshness.as_ref();
    freshness.map(|f| f.bytes.to_vec()).into_iter().collect()
}
