use abeng_wire::PartyCode;

/// What the rule looks at in a connection to some peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// The peer's process.
    pub boot_id: [u8; 16],
    /// The party that dialled.
    pub dialler: PartyCode,
}

/// What to do with two connections to one peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The old one is dead or about to be: close it at once.
    ReplaceOld,
    /// The new one stays; the old one closes after its streams have drained.
    DrainOld,
    /// The old one stays; the new one, which has carried nothing, closes.
    CloseNew,
}

/// Of two connections, another boot id, or a newer one by the same dialler, replaces the old at
/// once; with different diallers the one dialled by the lower code goes. Both sides come to the
/// same answer, in whichever order they saw the two.
pub fn which_stays(old: &Connection, new: &Connection) -> Verdict {
    if old.boot_id != new.boot_id || old.dialler == new.dialler {
        Verdict::ReplaceOld
    } else if old.dialler < new.dialler {
        Verdict::DrainOld
    } else {
        Verdict::CloseNew
    }
}
