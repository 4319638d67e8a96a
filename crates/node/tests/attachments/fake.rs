//! LC, which is no node but a test: it sees every frame and sends what it likes.

use crate::{
    common::once_free,
    support::{Net, file},
};
use abeng_keys::{Keyring, SystemEntropy};
use abeng_link::{
    AttachmentReceiver, AttachmentSender, CloseCode, Closed, Endpoint, Greeting, Handler, Link,
    LinkConfig, LinkError, NotTaken, PeerFault, Profile,
};
use abeng_node::{Config, Layout};
use abeng_notice::{Attachment, CheckContext, Notice};
use abeng_roster::{NoticeFacts, Policy, Tlp, Trust};
use abeng_seal::{
    AttachmentKey, AttachmentSealer, BoxCache, PieceHasher, Pieces, SealInput, Sealed, seal,
};
use abeng_wire::{Incarnation, Mono, Now, PartyCode, StreamSeq, limits, v1};
use arc_swap::ArcSwap;
use async_trait::async_trait;
use bytes::Bytes;
use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::{Mutex, mpsc};

const PATIENCE: Duration = Duration::from_secs(30);
/// How long what came last on a link that has gone may take to the disk.
const LINGERS: Duration = Duration::from_secs(1);

struct Seen {
    links: mpsc::UnboundedSender<Link>,
    frames: mpsc::UnboundedSender<(Link, v1::control::Frame)>,
    streams: mpsc::UnboundedSender<AttachmentReceiver>,
    envelopes: mpsc::UnboundedSender<Bytes>,
    ends: mpsc::UnboundedSender<(u64, Closed)>,
    trust: Trust,
}

#[async_trait]
impl Handler for Seen {
    fn greeting(&self, _peer: PartyCode) -> Greeting {
        Greeting {
            incarnation: 1,
            roster: self.trust.roster.reference(),
            ..Greeting::default()
        }
    }
    fn up(&self, link: Link, _hello: v1::Hello, _ready: v1::Ready) {
        let _ = self.links.send(link);
    }
    async fn envelope(&self, _link: &Link, _precedence: v1::Precedence, frame: Bytes) {
        let _ = self.envelopes.send(frame);
    }
    async fn control(&self, link: &Link, frame: v1::control::Frame) {
        let _ = self.frames.send((link.clone(), frame));
    }
    async fn attachment(&self, _link: &Link, stream: AttachmentReceiver) -> Result<(), PeerFault> {
        let _ = self.streams.send(stream);
        Ok(())
    }
    fn down(&self, _peer: PartyCode, session: u64, why: &Closed) {
        let _ = self.ends.send((session, why.clone()));
    }
    fn trust_bundle(&self) -> v1::TrustBundle {
        self.trust.to_bundle()
    }
    fn take_trust(&self, _bundle: v1::TrustBundle) {}
}

type Queue<T> = Mutex<mpsc::UnboundedReceiver<T>>;

pub struct Fake {
    pub endpoint: Arc<Endpoint>,
    keyring: Keyring,
    trust: Trust,
    links: Queue<Link>,
    frames: Queue<(Link, v1::control::Frame)>,
    streams: Queue<AttachmentReceiver>,
    envelopes: Queue<Bytes>,
    ends: Queue<(u64, Closed)>,
    /// Wants that came before the receipt of what is wanted.
    early: Mutex<VecDeque<(Link, v1::AttachmentWant)>>,
}

async fn next<T>(queue: &Queue<T>) -> T {
    let mut queue = queue.lock().await;
    let item = tokio::time::timeout(PATIENCE, queue.recv()).await;
    item.expect("in time").expect("still open")
}

fn wall() -> u64 {
    let since = std::time::UNIX_EPOCH.elapsed().unwrap();
    u64::try_from(since.as_millis()).unwrap()
}

impl Fake {
    pub async fn start(net: &Net) -> Self {
        let config = Config::load(&net.dir("lc").join("node.toml")).unwrap();
        let layout = Layout::new(net.dir("lc"));
        let no_passphrase = || Err::<abeng_keys::Passphrase, _>("none");
        let keyring = Keyring::load(&layout.keys(), no_passphrase).unwrap();
        let bundle = layout.read_trust().unwrap();
        let trust = Trust::from_bundle(&bundle, Some(config.root), wall()).unwrap();
        let (links_tx, links) = mpsc::unbounded_channel();
        let (frames_tx, frames) = mpsc::unbounded_channel();
        let (streams_tx, streams) = mpsc::unbounded_channel();
        let (envelopes_tx, envelopes) = mpsc::unbounded_channel();
        let (ends_tx, ends) = mpsc::unbounded_channel();
        let seen = Seen {
            links: links_tx,
            frames: frames_tx,
            streams: streams_tx,
            envelopes: envelopes_tx,
            ends: ends_tx,
            trust: trust.clone(),
        };
        let link = LinkConfig {
            me: PartyCode::new("LC").unwrap(),
            listen: config.link.listen,
            profile: Profile::Cable,
            profiles: Default::default(),
            limits: Default::default(),
            boot_id: [7; 16],
        };
        let (trusted, seen) = (
            Arc::new(ArcSwap::from_pointee(trust.clone())),
            Arc::new(seen),
        );
        let start = async || {
            let (link, tls) = (link.clone(), keyring.node_tls().clone());
            Endpoint::start(link, tls, trusted.clone(), seen.clone()).await
        };
        let taken = |why: &LinkError| matches!(why, LinkError::PortTaken { .. });
        let endpoint = once_free(start, taken).await;
        Self {
            endpoint,
            keyring,
            trust,
            links: Mutex::new(links),
            frames: Mutex::new(frames),
            streams: Mutex::new(streams),
            envelopes: Mutex::new(envelopes),
            ends: Mutex::new(ends),
            early: Mutex::default(),
        }
    }

    /// The next link that comes up.
    pub async fn link(&self) -> Link {
        next(&self.links).await
    }

    /// The next envelope that comes.
    pub async fn envelope(&self) -> Bytes {
        next(&self.envelopes).await
    }

    /// The next attachment's stream that comes.
    pub async fn stream(&self) -> AttachmentReceiver {
        next(&self.streams).await
    }

    /// The next want that comes, with its link.
    pub async fn want(&self) -> (Link, v1::AttachmentWant) {
        if let Some(early) = self.early.lock().await.pop_front() {
            return early;
        }
        loop {
            let (link, frame) = next(&self.frames).await;
            if let v1::control::Frame::AttachmentWant(want) = frame {
                return (link, want);
            }
        }
    }

    /// Brings pieces of what JM wants from the first of them on, until JM has them, and keeps the
    /// stream open. Where both sides dialled at once, one link goes and JM asks again on the other.
    pub async fn bring(
        &self,
        sent: &Sent,
        pieces: std::ops::Range<usize>,
        has_them: impl AsyncFn() -> bool,
    ) -> (AttachmentSender, v1::AttachmentWant) {
        loop {
            let (link, want) = self.want().await;
            let first = usize::try_from(want.first_piece).unwrap();
            // What came on a link that has gone is not asked for again.
            assert!((pieces.start..pieces.end).contains(&first), "{want:?}");
            let Ok(stream) = sent.bring(&link, first..pieces.end).await else {
                continue;
            };
            let mut gone = None;
            while gone.is_none_or(|gone: Instant| gone.elapsed() < LINGERS) {
                if has_them().await {
                    return (stream, want);
                }
                if !self.is_live(&link) {
                    gone.get_or_insert_with(Instant::now);
                }
                tokio::task::yield_now().await;
            }
        }
    }

    fn is_live(&self, link: &Link) -> bool {
        let now = self.endpoint.link(link.peer());
        now.is_some_and(|now| now.session() == link.session())
    }

    /// Asks JM for an attachment, on whichever link stays.
    pub async fn ask(
        &self,
        want: &v1::AttachmentWant,
    ) -> (AttachmentReceiver, v1::AttachmentHeader) {
        loop {
            self.current()
                .await
                .control(v1::control::Frame::AttachmentWant(want.clone()));
            let mut streams = self.streams.lock().await;
            let stream = tokio::time::timeout(Duration::from_secs(1), streams.recv()).await;
            if let Ok(Some(mut stream)) = stream
                && let Ok(header) = stream.header().await
            {
                return (stream, header);
            }
        }
    }

    /// The link that is up now, or comes up.
    pub async fn current(&self) -> Link {
        let jm = PartyCode::new("JM").unwrap();
        loop {
            match self.endpoint.link(jm) {
                Some(link) => return link,
                None => _ = self.link().await,
            }
        }
    }

    /// Sends an envelope until JM has it.
    pub async fn send(&self, envelope: &Bytes) {
        loop {
            let link = self.current().await;
            link.send(v1::Precedence::Routine, envelope.clone());
            loop {
                let (from, frame) = next(&self.frames).await;
                match frame {
                    v1::control::Frame::Receipts(_) => return,
                    v1::control::Frame::AttachmentWant(want) => {
                        self.early.lock().await.push_back((from, want));
                    }
                    _ => {}
                }
                if !self.is_live(&link) {
                    break;
                }
            }
        }
    }

    /// The next refusal that comes.
    pub async fn refused(&self) -> v1::AttachmentRefused {
        loop {
            let (_, frame) = next(&self.frames).await;
            if let v1::control::Frame::AttachmentRefused(refused) = frame {
                return refused;
            }
        }
    }

    /// Sends an envelope until JM wants its file, and gives the link on which it does. Where both
    /// sides dialled at once, one link goes, and what was sent on it may go too.
    pub async fn wanted(&self, envelope: &Bytes, sent: &Sent) -> Link {
        let root = sent.pieces.of().to_wire().root;
        loop {
            let link = self.current().await;
            link.send(v1::Precedence::Routine, envelope.clone());
            // JM's status comes every second: this looks again that often.
            while self.is_live(&link) {
                match next(&self.frames).await {
                    (on, v1::control::Frame::AttachmentWant(want))
                        if want.root == root && self.is_live(&on) =>
                    {
                        return on;
                    }
                    _ => {}
                }
            }
            tokio::task::yield_now().await;
        }
    }

    /// Does something wrong on the link that it gives, and gives the word with which JM ends one.
    /// A link that goes because both sides dialled at once is not meant, and it is done again.
    pub async fn provoke(&self, act: impl AsyncFn() -> Link) -> Closed {
        loop {
            let link = act().await;
            loop {
                let (session, why) = next(&self.ends).await;
                if matches!(
                    why,
                    Closed::ByPeer {
                        code: Some(CloseCode::Fault),
                        ..
                    }
                ) {
                    return why;
                }
                if session == link.session() {
                    break;
                }
            }
        }
    }

    /// Seals a notice with one file for JM.
    pub fn seal(&self, seq: u64, sent: &Sent) -> Sealed {
        let (me, jm) = (PartyCode::new("LC").unwrap(), PartyCode::new("JM").unwrap());
        let mut draft = abeng_notice::samples().remove(0).draft;
        draft.administration = None;
        draft.attach = vec!["x".into()];
        let now = wall();
        let context = CheckContext {
            attachments: [("x".to_owned(), sent.attachment.clone())].into(),
            ..CheckContext::new(now, me)
        };
        let notice = Notice::check(draft, &context).unwrap().notice;
        let facts = NoticeFacts {
            ty: notice.ty(),
            tlp: Tlp(notice.tlp().number()),
        };
        let cleared = Policy::clear(&self.trust, me, &[jm], &facts, now).unwrap();
        let mut boxes = BoxCache::new();
        let input = SealInput {
            trust: &self.trust,
            cleared: &cleared,
            org_sign: self.keyring.org_sign().as_ref(),
            store: &self.keyring.store,
            incarnation: Incarnation(1),
            created_at: now,
            expires_at: now + 3_600_000,
            precedence: v1::Precedence::Routine,
            positions: &[(jm, StreamSeq::new(seq).unwrap())],
            notice: notice.bytes(),
            attachments: &[sent.pieces.of()],
            boxes: &mut boxes,
            now: Now {
                wall: now,
                mono: Mono(1),
            },
        };
        seal(input, &mut SystemEntropy).unwrap()
    }
}

/// A file as its sender has it.
pub struct Sent {
    pub cipher: Vec<u8>,
    pub pieces: Pieces,
    pub attachment: Attachment,
}

impl Sent {
    pub fn new(length: usize, seed: u8) -> Self {
        let key = AttachmentKey::generate(&mut SystemEntropy);
        let (mut sealer, mut cipher) = (AttachmentSealer::new(&key), Vec::new());
        sealer.write(&file(length, seed), &mut cipher).unwrap();
        sealer.finish(&mut cipher).unwrap();
        let mut hasher = PieceHasher::default();
        hasher.update(&cipher);
        let pieces = hasher.finish().unwrap();
        let attachment = Attachment {
            name: "x.jpg".into(),
            media_type: "image/jpeg".into(),
            length: length as u64,
            root: pieces.of().root,
            cipher_length: pieces.of().length,
            key: *key.secret(),
        };
        Self {
            cipher,
            pieces,
            attachment,
        }
    }

    /// The header of a stream that brings it from a piece on.
    pub fn header(&self, first_piece: u64) -> v1::AttachmentHeader {
        v1::AttachmentHeader {
            root: self.pieces.of().to_wire().root,
            length: self.pieces.of().length,
            first_piece,
            hashes: match first_piece {
                0 => Bytes::from(self.pieces.hashes().concat()),
                _ => Bytes::new(),
            },
        }
    }

    pub fn piece(&self, index: usize) -> Bytes {
        let from = index * limits::ATTACHMENT_PIECE;
        let to = self.cipher.len().min(from + limits::ATTACHMENT_PIECE);
        Bytes::copy_from_slice(&self.cipher[from..to])
    }

    /// Brings pieces on a new stream.
    pub async fn bring(
        &self,
        link: &Link,
        pieces: std::ops::Range<usize>,
    ) -> Result<AttachmentSender, NotTaken> {
        let header = self.header(pieces.start as u64);
        let mut stream = link.attachment(&header).await?;
        for index in pieces {
            stream.piece(self.piece(index)).await?;
        }
        Ok(stream)
    }
}
