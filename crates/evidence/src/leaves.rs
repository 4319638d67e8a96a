//! What a leaf must say to be about this envelope.

use crate::{Why, build::export_subject};
use abeng_audit_log::{Leaf, LogOrigin, subject};
use abeng_roster::{Chain, Roster, verify_incarnation};
use abeng_seal::SignedHeader;
use abeng_wire::{PartyCode, pae_signature_type, v1};
use v1::LeafKind as Kind;

/// What leaves are held against.
pub(crate) struct About<'a> {
    pub(crate) header: &'a SignedHeader,
    pub(crate) chain: &'a Chain,
    /// Whether the file discloses the content.
    pub(crate) content: bool,
}

fn rule(holds: bool, rule: &'static str) -> Result<(), Why> {
    holds.then_some(()).ok_or(Why::Rule(rule))
}

impl About<'_> {
    /// Checks a leaf that is in the log of `origin`, under the roster that its checkpoint was
    /// judged by. Its recipient, where it is about one.
    pub(crate) fn check(
        &self,
        leaf: &Leaf,
        origin: &LogOrigin,
        roster: &Roster,
    ) -> Result<Option<PartyCode>, Why> {
        let says = leaf.message();
        rule(says.version == 1, "the leaf's version is 1")?;
        rule(
            says.actor == origin.party.as_str() && says.incarnation == origin.incarnation.0,
            "the leaf's actor and incarnation are those of its log",
        )?;
        self.roster(says.roster.as_ref())?;
        if says.kind() == Kind::Incarnation {
            return rule(
                says.envelope_id.is_empty(),
                "the leaf that opens a log is about no envelope",
            )
            .map(|()| None);
        }
        rule(
            says.envelope_id == self.header.id().0[..],
            "the leaf names the envelope",
        )?;
        rule(
            says.originator == self.header.originator().as_str(),
            "the leaf names the envelope's originator",
        )?;
        let recipient = self.recipient(says)?;
        self.actor(says, origin, recipient, roster)?;
        Ok(recipient)
    }

    /// A roster that the file holds must be the one that is named.
    pub(crate) fn roster(&self, named: Option<&v1::RosterRef>) -> Result<(), Why> {
        let held = named.and_then(|named| Some((named, self.chain.roster(named.version)?)));
        rule(
            held.is_none_or(|(named, held)| named.digest == held.digest().0[..]),
            "the roster that is named is the one of that version in this file",
        )
    }

    /// The recipient that the leaf is about: one of PRE's, with its `seq_commit`.
    fn recipient(&self, says: &v1::Leaf) -> Result<Option<PartyCode>, Why> {
        let whole = matches!(says.kind(), Kind::Submitted | Kind::Exported);
        if whole && says.recipient.is_empty() {
            rule(
                says.seq_commit.is_empty(),
                "a leaf about no recipient names no stream number",
            )?;
            return Ok(None);
        }
        let mut entries = self.header.pre().recipients.iter();
        let entry = entries.find(|entry| entry.party == says.recipient);
        let entry = entry.ok_or(Why::Rule("the leaf names one of the recipients"))?;
        // What an officer did with a notice says nothing of its number.
        let officer = matches!(says.kind(), Kind::Read | Kind::Acted | Kind::Exported);
        rule(
            says.seq_commit == entry.seq_commit || (officer && says.seq_commit.is_empty()),
            "the leaf holds the recipient's seq_commit",
        )?;
        Ok(PartyCode::new(&says.recipient).ok())
    }

    fn actor(
        &self,
        says: &v1::Leaf,
        origin: &LogOrigin,
        recipient: Option<PartyCode>,
        roster: &Roster,
    ) -> Result<(), Why> {
        let actor = origin.party;
        let by_originator = actor == self.header.originator();
        let by_recipient = recipient == Some(actor);
        match says.kind() {
            Kind::Submitted | Kind::Queued => rule(
                by_originator && says.incarnation == self.header.pre().incarnation,
                "the leaf's actor is the originator, in the incarnation that PRE names",
            ),
            Kind::ReceiptTaken | Kind::Voided => {
                rule(by_originator, "the leaf's actor is the originator")
            }
            Kind::Received | Kind::Delivered | Kind::Refused | Kind::Read | Kind::Acted => {
                rule(by_recipient, "the leaf's actor is the recipient")
            }
            Kind::Expired | Kind::Recalled => rule(
                by_recipient || by_originator,
                "the leaf's actor is the recipient or the originator",
            ),
            Kind::Relayed => rule(
                roster.party(actor).is_some_and(|party| party.relay),
                "whoever says that it relayed is a relay in the roster",
            ),
            Kind::Exported => {
                rule(
                    by_recipient || (by_originator && recipient.is_none()),
                    "the file was exported by the originator or by a recipient",
                )?;
                rule(
                    says.subject == export_subject(&self.header.id(), self.content).0[..],
                    "the leaf of the export says of this file whether it discloses the content",
                )
            }
            _ => Err(Why::Rule(
                "a leaf in an evidence file is of a kind that says what became of an envelope",
            )),
        }
    }
}

/// The statement that opens a log belongs to leaf 0, and only there.
pub(crate) fn opening(
    leaf: &Leaf,
    index: u64,
    statement: Option<&v1::Signed>,
    chain: &Chain,
) -> Result<(), Why> {
    let says = leaf.message();
    if says.kind() != Kind::Incarnation {
        return rule(
            statement.is_none(),
            "only the leaf that opens a log comes with a statement",
        );
    }
    rule(index == 0, "the leaf that opens a log is its leaf 0")?;
    let statement = statement.ok_or(Why::Rule("leaf 0 comes with its statement"))?;
    let about = subject(&pae_signature_type("incarnation.v1"), &statement.bytes);
    rule(
        says.subject == about.0[..],
        "the statement is the one that leaf 0 is about",
    )?;
    let mut why = None;
    for roster in chain.rosters() {
        match verify_incarnation(roster, statement) {
            Ok(opened) => {
                return rule(
                    opened.party == says.actor && opened.incarnation == says.incarnation,
                    "the statement opens this log",
                );
            }
            Err(e) => why = why.or(Some(e)),
        }
    }
    Err(why.map_or(Why::Rule("there is a roster to judge it by"), Why::from))
}
