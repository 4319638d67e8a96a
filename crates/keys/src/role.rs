use abeng_wire::pae;

/// What a key is for. A key has one role and one party, ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// Signs roots; offline, dual.
    Root,
    /// Signs rosters; dual.
    Roster,
    /// Says that a roster is still the newest.
    Freshness,
    /// Signs envelopes, voids, seal keys and incarnations of a party.
    OrgSign,
    /// Opens envelopes of a party.
    OrgSeal,
    /// A node's identity in TLS.
    NodeTls,
    /// Signs a log's checkpoints.
    Log,
    /// Co-signs the checkpoints of others.
    Witness,
    /// Wraps what a node keeps for itself; symmetric, never leaves the node.
    Store,
    /// Encrypts backups; offline.
    Backup,
}

impl Role {
    /// The role's name in files and messages to people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Roster => "roster",
            Self::Freshness => "freshness",
            Self::OrgSign => "org-sign",
            Self::OrgSeal => "org-seal",
            Self::NodeTls => "node-tls",
            Self::Log => "log",
            Self::Witness => "witness",
            Self::Store => "store",
            Self::Backup => "backup",
        }
    }
}

/// What kind of statement a signature is over. Fixed by the place where the signature stands,
/// never by the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SignatureType {
    name: &'static str,
    role: Role,
}

macro_rules! signature_types {
    ($($(#[$doc:meta])* $name:ident = $short:literal by $role:ident;)*) => {
        impl SignatureType {
            $(
                $(#[$doc])*
                pub const $name: Self = Self {
                    name: concat!("application/vnd.abeng.", $short),
                    role: Role::$role,
                };
            )*

            /// Every type there is.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];
        }
    };
}

signature_types! {
    /// A root.
    ROOT = "root.v1" by Root;
    /// A roster.
    ROSTER = "roster.v1" by Roster;
    /// That an entry takes another's place without the party's earlier keys.
    OVERRIDE = "override.v1" by Root;
    /// That somebody holds the key that is to sign roots, rosters or freshness statements: by
    /// that key, whose role the statement names.
    SIGNER = "signer.v1" by Root;
    /// A party's entry in a roster, by each of that party's signing keys.
    PARTY = "party.v1" by OrgSign;
    /// That a roster is still the newest.
    FRESHNESS = "freshness.v1" by Freshness;
    /// A seal key.
    SEAL_KEY = "sealkey.v1" by OrgSign;
    /// One life of a node's journal.
    INCARNATION = "incarnation.v1" by OrgSign;
    /// An envelope's HDR.
    ENVELOPE = "envelope.v1" by OrgSign;
    /// Numbers of a stream that carry nothing.
    VOID = "void.v1" by OrgSign;
    /// Numbers of a stream that its recipient misses, asked for over a relay.
    WANT = "want.v1" by OrgSign;
    /// The hello of a link.
    HELLO = "hello.v1" by NodeTls;
}

impl SignatureType {
    /// The full type string, as `application/vnd.abeng.envelope.v1`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The role of the keys that may sign this. `PARTY` names `OrgSign` and is signed by the
    /// party's other signing keys as well.
    pub fn role(&self) -> Role {
        self.role
    }

    /// The bytes that are signed: the pre-authentication encoding of `bytes` under this type.
    pub fn pae(&self, bytes: &[u8]) -> Vec<u8> {
        pae(self.name, bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_protocol_and_differ() {
        assert_eq!(
            SignatureType::ENVELOPE.name(),
            "application/vnd.abeng.envelope.v1"
        );
        let mut names: Vec<_> = SignatureType::ALL.iter().map(|t| t.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), SignatureType::ALL.len());
        for name in names {
            let short = name.strip_prefix("application/vnd.abeng.").unwrap();
            assert_eq!(abeng_wire::pae_signature_type(short), name);
        }
    }
}
