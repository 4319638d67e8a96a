use crate::{Attachment, Flaw, Handling, Lang, Line, NoticeType, Tlp, show};
use abeng_wire::{EnvelopeId, Malformed, Millis, decode_tolerant, encode, limits, v1};
use bytes::Bytes;

/// Why bytes are no notice that this version can show.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoticeError {
    /// Too long, or not protobuf of this kind.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// A type that this version does not know.
    #[error("a notice of type number {number}, which this version does not know; update it")]
    UnknownType {
        /// As on the wire.
        number: i32,
    },
    /// Its content is not of its type, or is not there.
    #[error("a notice of type {ty} without such a content")]
    WrongContent {
        /// The type that it claims.
        ty: NoticeType,
    },
    /// A header field that honest software always writes is wrong.
    #[error("a notice whose {field} is not one")]
    BadHeader {
        /// The field.
        field: &'static str,
    },
}

/// A notice together with the exact bytes it travels as. Fields that this version does not know
/// stay in the bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    bytes: Bytes,
    message: v1::Notice,
    ty: NoticeType,
    tlp: Tlp,
    attachments: Vec<Attachment>,
}

impl Notice {
    /// Doubts that are shown.
    pub const DOUBTS: usize = 64;

    /// Reads a notice. Unknown fields are allowed, an unknown type is not; codes that this
    /// version does not know are shown as they are.
    pub fn parse(bytes: Bytes) -> Result<Self, NoticeError> {
        let message: v1::Notice = decode_tolerant("notice", &bytes, limits::NOTICE)?;
        Self::from_parts(bytes, message)
    }

    pub(crate) fn of(message: v1::Notice) -> Result<Self, NoticeError> {
        let bytes = encode(&message);
        if bytes.len() > limits::NOTICE {
            return Err(NoticeError::Malformed(Malformed::TooLong {
                what: "notice",
                length: bytes.len(),
                limit: limits::NOTICE,
            }));
        }
        Self::from_parts(bytes, message)
    }

    fn from_parts(bytes: Bytes, message: v1::Notice) -> Result<Self, NoticeError> {
        let ty = NoticeType::from_wire(message.r#type).ok_or(NoticeError::UnknownType {
            number: message.r#type,
        })?;
        let fits = matches!(
            (ty, &message.content),
            (NoticeType::Seizure, Some(v1::notice::Content::Seizure(_)))
                | (NoticeType::Feedback, Some(v1::notice::Content::Feedback(_)))
                | (NoticeType::Recall, Some(v1::notice::Content::Recall(_)))
        );
        if !fits {
            return Err(NoticeError::WrongContent { ty });
        }
        let tlp = u32::try_from(message.tlp)
            .ok()
            .and_then(Tlp::from_number)
            .ok_or(NoticeError::BadHeader { field: "TLP label" })?;
        for (field, id) in [
            ("in_reply_to", &message.in_reply_to),
            ("supersedes", &message.supersedes),
        ] {
            if !id.is_empty() && id.len() != 32 {
                return Err(NoticeError::BadHeader { field });
            }
        }
        if let Some(v1::notice::Content::Recall(recall)) = &message.content
            && (recall.notice.len() != 32 || recall.notice != message.supersedes)
        {
            return Err(NoticeError::BadHeader {
                field: "recalled notice",
            });
        }
        let attachments = Attachment::all(&message).ok_or(NoticeError::BadHeader {
            field: "list of attachments",
        })?;
        Ok(Self {
            bytes,
            message,
            ty,
            tlp,
            attachments,
        })
    }

    /// The exact bytes: what is sealed.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// What the bytes say, as far as this version knows.
    pub fn message(&self) -> &v1::Notice {
        &self.message
    }

    /// Its type.
    pub fn notice_type(&self) -> NoticeType {
        self.ty
    }

    /// Its type's name: `SEIZURE`, `FEEDBACK`.
    pub fn ty(&self) -> &'static str {
        self.ty.name()
    }

    /// How far it may be told.
    pub fn tlp(&self) -> Tlp {
        self.tlp
    }

    /// Its precedence; the type's default where the notice names none.
    pub fn precedence(&self) -> v1::Precedence {
        match self.message.precedence() {
            v1::Precedence::Unspecified => self.ty.default_precedence(),
            named => named,
        }
    }

    /// When its body is to be scrubbed, Unix milliseconds; `None` where it names no time.
    pub fn keep_until(&self) -> Option<Millis> {
        (self.message.keep_until != 0).then_some(self.message.keep_until)
    }

    /// The notice that it answers.
    pub fn in_reply_to(&self) -> Option<EnvelopeId> {
        EnvelopeId::from_slice(&self.message.in_reply_to)
    }

    /// The notice that it replaces.
    pub fn supersedes(&self) -> Option<EnvelopeId> {
        EnvelopeId::from_slice(&self.message.supersedes)
    }

    /// The same notice as the one that replaces `earlier`, for a recipient that could not open that
    /// one. What replaces or takes back something else already goes on doing so.
    pub fn superseding(&self, earlier: EnvelopeId) -> Result<Self, NoticeError> {
        if !self.message.supersedes.is_empty() {
            return Ok(self.clone());
        }
        let message = v1::Notice {
            supersedes: earlier.to_bytes(),
            ..self.message.clone()
        };
        Self::parse(encode(&message))
    }

    /// The notice that it takes back, where it is a recall.
    pub fn recalls(&self) -> Option<EnvelopeId> {
        match &self.message.content {
            Some(v1::notice::Content::Recall(recall)) => EnvelopeId::from_slice(&recall.notice),
            _ => None,
        }
    }

    /// What a recall says in words beside its reason.
    pub fn recall_text(&self) -> Option<&str> {
        match &self.message.content {
            Some(v1::notice::Content::Recall(recall)) if !recall.text.is_empty() => {
                Some(&recall.text)
            }
            _ => None,
        }
    }

    /// What the sender's node found doubtful, at most [`Self::DOUBTS`]; nothing a peer wrote there
    /// can disturb a terminal.
    pub fn doubts(&self) -> Vec<Flaw> {
        let doubts = self.message.doubts.iter().take(Self::DOUBTS);
        doubts.filter_map(Flaw::from_wire).collect()
    }

    /// Its files, in order.
    pub fn attachments(&self) -> &[Attachment] {
        &self.attachments
    }

    /// Training traffic, never counted.
    pub fn is_exercise(&self) -> bool {
        self.message.exercise
    }

    /// Everything that says what may be done with it.
    pub fn handling(&self) -> Handling {
        Handling {
            tlp: self.tlp,
            code: self.message.handling_code.clone(),
            conditions: self.message.handling_conditions.clone(),
            nominal: self.message.nominal,
            keep_until: self.message.keep_until,
        }
    }

    /// One line: `139.4 kg cocaine, JMKIN, sea`. Safe for a terminal whatever the peer wrote.
    pub fn summary(&self, lang: Lang) -> String {
        show::summary(self, lang)
    }

    /// Every field that is there, with its label, in reading order. Safe for a terminal whatever
    /// the peer wrote.
    pub fn describe(&self, lang: Lang) -> Vec<Line> {
        show::describe(self, lang)
    }

    /// The notice as JSON: the wire's names and codes, ids in hex, times as Unix milliseconds;
    /// what is absent is left out.
    pub fn to_json(&self) -> serde_json::Value {
        show::to_json(self)
    }
}
