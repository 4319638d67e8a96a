//! The floor: what this machine needs for the work that cannot be left out.
//!
//! Each primitive is timed on one core, in the same run as the load and while nothing else of ours
//! works: the median of several rounds.

use crate::CliError;
use abeng_keys::{Entropy, SealSecret, Signer, SoftSigner, SystemEntropy};
use hpke::{OpModeR, OpModeS, aead::ChaCha20Poly1305, kdf::HkdfSha256, kem::XWing};
use ring::{aead, digest};
use rustix::fs::fdatasync;
use serde::Serialize;
use std::{fs::OpenOptions, hint::black_box, os::unix::fs::FileExt, path::Path, time::Instant};

/// Rounds of a primitive; the median counts.
const ROUNDS: usize = 15;
/// Bytes of a signed header: what the signature of an envelope covers.
const HEADER: usize = 320;
/// One QUIC packet's payload.
const PACKET: usize = 1200;

/// Costs on this machine: microseconds on one core, unless the name says otherwise.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Primitives {
    /// Ed25519 signature over a header.
    pub(super) sign_us: f64,
    /// Strict Ed25519 verification of it.
    pub(super) verify_us: f64,
    /// X-Wing HPKE, a key sealed to a recipient.
    pub(super) xwing_seal_us: f64,
    /// And opened.
    pub(super) xwing_open_us: f64,
    /// ChaCha20-Poly1305 over the notice: sealed, or opened.
    pub(super) aead_us: f64,
    /// SHA-256 over the notice.
    pub(super) sha256_us: f64,
    /// AES-256-GCM over one QUIC packet of 1200 bytes: sealed, or opened.
    pub(super) packet_us: f64,
    /// A 4 KiB append to a file written with zeros, and `fdatasync`: median.
    pub(super) fdatasync_4k_us: f64,
}

/// Measures them; the disk in `dir`, for notices of `size` bytes.
pub(super) fn primitives(dir: &Path, size: usize) -> Result<Primitives, CliError> {
    let wrong = |what: &str| CliError::internal(format!("{what} failed while it was measured"));
    let signer = SoftSigner::generate(&mut SystemEntropy);
    let header = random(HEADER);
    let signature = signer.sign_message(&header).map_err(|_| wrong("signing"))?;
    signer
        .verify_key()
        .verify_message(&header, &signature)
        .map_err(|_| wrong("verifying"))?;

    let secret = SealSecret::generate(&mut SystemEntropy);
    let seal_box = || {
        hpke::single_shot_seal::<ChaCha20Poly1305, HkdfSha256, XWing>(
            &OpModeS::Base,
            secret.public().hpke(),
            &header,
            &header[..32],
            &[],
        )
    };
    let (enc, sealed) = seal_box().map_err(|_| wrong("sealing"))?;
    let open_box = || {
        hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, XWing>(
            &OpModeR::Base,
            secret.hpke(),
            &enc,
            &header,
            &sealed,
            &[],
        )
    };
    open_box().map_err(|_| wrong("opening"))?;

    let notice = random(size);
    Ok(Primitives {
        sign_us: micros(200, || drop(black_box(signer.sign_message(&header)))),
        verify_us: micros(200, || {
            let _ = black_box(signer.verify_key().verify_message(&header, &signature));
        }),
        xwing_seal_us: micros(30, || drop(black_box(seal_box()))),
        xwing_open_us: micros(30, || drop(black_box(open_box()))),
        aead_us: seal_us(&aead::CHACHA20_POLY1305, notice.clone())
            .ok_or_else(|| wrong("an AEAD"))?,
        sha256_us: micros(500, || {
            let _ = black_box(digest::digest(&digest::SHA256, &notice));
        }),
        packet_us: seal_us(&aead::AES_256_GCM, random(PACKET)).ok_or_else(|| wrong("an AEAD"))?,
        fdatasync_4k_us: append_us(dir, 4096, 200)?,
    })
}

/// What one run had to do, per notice.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Work {
    /// Bytes of a notice.
    pub(super) size: usize,
    /// Notices under way at once: as many can share one sync.
    pub(super) in_flight: u32,
    /// Cores that the nodes share.
    pub(super) cores: usize,
    /// Checkpoints: signed at the recipient and verified at the originator, per notice.
    pub(super) checkpoints: f64,
    /// Boxes sealed and opened, per notice.
    pub(super) boxes: f64,
    /// Leaves written at both nodes, per notice.
    pub(super) leaves: f64,
    /// UDP payload bytes in both directions, per notice.
    pub(super) wire_bytes: f64,
    /// Bytes of both journals, per notice.
    pub(super) disk_bytes: f64,
}

/// The floor and what it is made of.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Floor {
    /// Notices per second that no implementation of this protocol on this machine can exceed.
    pub(super) notices_per_s: f64,
    /// Of what.
    pub(super) parts: Parts,
}

/// What the floor is made of.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Parts {
    /// What limits: `cpu` or `disk`.
    pub(super) limit: &'static str,
    /// Notices per second that the cores could do if they did nothing but this run's cryptography.
    pub(super) cpu_notices_per_s: f64,
    /// Notices per second of the disk, as many sharing one write and sync as were in flight.
    pub(super) disk_notices_per_s: f64,
    /// Microseconds of cryptography per notice, both nodes together.
    pub(super) crypto_us_per_notice: f64,
    /// Cores.
    pub(super) cores: usize,
    /// The single costs.
    #[serde(flatten)]
    pub(super) primitives: Primitives,
}

/// The floor for that work.
pub(super) fn floor(primitives: Primitives, work: Work, dir: &Path) -> Result<Floor, CliError> {
    let batch = work.disk_bytes * f64::from(work.in_flight);
    let disk = f64::from(work.in_flight) / (append_us(dir, (batch as usize).max(4096), 30)? / 1e6);
    let crypto = crypto_us(&primitives, &work);
    let cpu = work.cores as f64 * 1e6 / crypto;
    Ok(Floor {
        notices_per_s: cpu.min(disk),
        parts: Parts {
            limit: if cpu < disk { "cpu" } else { "disk" },
            cpu_notices_per_s: cpu,
            disk_notices_per_s: disk,
            crypto_us_per_notice: crypto,
            cores: work.cores,
            primitives,
        },
    })
}

/// Signature and its check; the notice sealed and opened, hashed at both ends; boxes, checkpoints
/// and leaves as often as this run had them; every packet sealed and opened.
fn crypto_us(p: &Primitives, work: &Work) -> f64 {
    // A leaf and its share of the tree: about 300 bytes.
    let leaf_us = p.sha256_us * 300.0 / work.size.max(1) as f64;
    (1.0 + work.checkpoints) * (p.sign_us + p.verify_us)
        + work.boxes * (p.xwing_seal_us + p.xwing_open_us)
        + 2.0 * (p.aead_us + p.sha256_us)
        + work.leaves * leaf_us
        + 2.0 * p.packet_us * work.wire_bytes / PACKET as f64
}

/// Microseconds of one call: the median over rounds of so many.
fn micros(calls: u32, mut call: impl FnMut()) -> f64 {
    let rounds = (0..ROUNDS).map(|_| {
        let begun = Instant::now();
        for _ in 0..calls {
            call();
        }
        begun.elapsed().as_secs_f64() * 1e6 / f64::from(calls)
    });
    median(rounds.collect())
}

fn median(mut of: Vec<f64>) -> f64 {
    of.sort_by(f64::total_cmp);
    of.get(of.len() / 2).copied().unwrap_or(0.0)
}

/// Sealing in place; opening costs the same.
fn seal_us(algorithm: &'static aead::Algorithm, mut data: Vec<u8>) -> Option<f64> {
    let key = aead::UnboundKey::new(algorithm, &[7; 32]).ok()?;
    let key = aead::LessSafeKey::new(key);
    Some(micros(500, || {
        let nonce = aead::Nonce::assume_unique_for_key([0; 12]);
        let _ = black_box(key.seal_in_place_separate_tag(nonce, aead::Aad::empty(), &mut data));
    }))
}

/// Median microseconds of an append of so many bytes to a file written with zeros, and `fdatasync`.
fn append_us(dir: &Path, bytes: usize, times: usize) -> Result<f64, CliError> {
    let path = dir.join("floor.tmp");
    let file = OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .open(&path)?;
    let zeros = vec![0; bytes];
    for nth in 0..times {
        file.write_all_at(&zeros, (nth * bytes) as u64)?;
    }
    file.sync_all()?;
    let data = random(bytes);
    let mut took = Vec::with_capacity(times);
    for nth in 0..times {
        let begun = Instant::now();
        file.write_all_at(&data, (nth * bytes) as u64)?;
        fdatasync(&file).map_err(std::io::Error::from)?;
        took.push(begun.elapsed().as_secs_f64() * 1e6);
    }
    drop(file);
    std::fs::remove_file(path)?;
    Ok(median(took))
}

fn random(bytes: usize) -> Vec<u8> {
    let mut out = vec![0; bytes];
    SystemEntropy.fill(&mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_floor_is_the_lower_of_cpu_and_disk() {
        let dir = tempfile::tempdir().unwrap();
        let primitives = Primitives {
            sign_us: 10.0,
            verify_us: 30.0,
            aead_us: 2.0,
            sha256_us: 3.0,
            ..Primitives::default()
        };
        let work = Work {
            size: 2048,
            in_flight: 256,
            cores: 2,
            disk_bytes: 4096.0,
            ..Work::default()
        };
        let floor = floor(primitives.clone(), work, dir.path()).unwrap();
        assert!((floor.parts.crypto_us_per_notice - 50.0).abs() < 1e-9);
        assert!((floor.parts.cpu_notices_per_s - 40_000.0).abs() < 1e-6);
        assert!(floor.notices_per_s <= floor.parts.disk_notices_per_s);
        assert!(floor.notices_per_s <= floor.parts.cpu_notices_per_s);
        let slow = Primitives {
            verify_us: 1e6,
            ..primitives
        };
        let slow = super::floor(slow, work, dir.path()).unwrap();
        assert_eq!(slow.parts.limit, "cpu");
        assert!(slow.notices_per_s < 2.1);
    }

    #[test]
    fn more_work_is_a_lower_floor() {
        let p = Primitives {
            sign_us: 10.0,
            verify_us: 30.0,
            packet_us: 1.0,
            xwing_seal_us: 50.0,
            ..Primitives::default()
        };
        let base = crypto_us(
            &p,
            &Work {
                size: 2048,
                ..Work::default()
            },
        );
        for work in [
            Work {
                size: 2048,
                checkpoints: 0.1,
                ..Work::default()
            },
            Work {
                size: 2048,
                boxes: 1.0,
                ..Work::default()
            },
            Work {
                size: 2048,
                wire_bytes: 4000.0,
                ..Work::default()
            },
        ] {
            assert!(crypto_us(&p, &work) > base, "{work:?}");
        }
    }
}
