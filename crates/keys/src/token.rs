//! A signing key that never leaves its token: PKCS #11, Ed25519 (CKM_EDDSA).

use crate::{Passphrase, SignError, Signer, VerifyKey};
use cryptoki::{
    context::{CInitializeArgs, CInitializeFlags, Pkcs11},
    error::{Error, RvError},
    mechanism::{
        Mechanism,
        eddsa::{EddsaParams, EddsaSignatureScheme},
    },
    object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle},
    session::{Session, UserType},
    slot::Slot,
    types::AuthPin,
};
use std::{
    fmt,
    path::PathBuf,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Signed at opening: the private and the public key in the token must belong together.
const TRIAL: &[u8] = b"abeng/1/token-trial";

/// For so long after a signature it is not tried whether the token signs.
const LATELY: Duration = Duration::from_secs(2);

/// A token that is gone is looked for again only so long after the last look.
const AGAIN: Duration = Duration::from_secs(2);

/// Where a key is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenKey {
    /// The PKCS #11 library of the token's maker.
    pub module: PathBuf,
    /// The token's label.
    pub token: String,
    /// The label of both halves of the key.
    pub key: String,
}

/// Why a token does not serve.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The library cannot be used.
    #[error("the PKCS #11 library {} cannot be used: {why}", module.display())]
    Module {
        /// The library.
        module: PathBuf,
        /// Its word.
        why: String,
    },
    /// There is no token with that label, or more than one.
    #[error("{found} tokens are labelled `{token}`, and it must be one")]
    Tokens {
        /// The label.
        token: String,
        /// How many there are.
        found: usize,
    },
    /// The PIN is refused.
    #[error("the token `{token}` refuses the PIN: {why}")]
    Pin {
        /// The token's label.
        token: String,
        /// Its word.
        why: String,
    },
    /// There is no such key, or more than one.
    #[error("{found} {half} Ed25519 keys in the token are labelled `{key}`, and it must be one")]
    Keys {
        /// `private` or `public`.
        half: &'static str,
        /// The label.
        key: String,
        /// How many there are.
        found: usize,
    },
    /// The public key is none that is admitted, or not that of the private one.
    #[error("the key `{key}` in the token is of no use: {why}")]
    Key {
        /// The label.
        key: String,
        /// Why.
        why: String,
    },
    /// Anything else that it says.
    #[error("the token `{token}` says: {why}")]
    Token {
        /// The token's label.
        token: String,
        /// Its word.
        why: String,
    },
}

/// Signs with a key in a token. Where the token is gone, signing fails and is tried anew every
/// two seconds at most, when it is asked to: it may come back. A PIN that is refused is never tried again, since tokens count.
pub struct TokenSigner {
    at: TokenKey,
    pin: Passphrase,
    library: Pkcs11,
    public: VerifyKey,
    state: Mutex<State>,
}

enum State {
    Open(Open),
    Gone {
        why: SignError,
        /// When it was last looked for.
        looked: Instant,
    },
    Refused(SignError),
}

impl State {
    fn gone(why: SignError) -> Self {
        Self::Gone {
            why,
            looked: Instant::now(),
        }
    }
}

struct Open {
    session: Session,
    private: ObjectHandle,
    /// When it signed last.
    signed: Option<Instant>,
}

impl TokenSigner {
    /// Opens the token with its PIN and finds the key. One try: tokens lock themselves after a few wrong
    /// PINs.
    pub fn open(at: TokenKey, pin: Passphrase) -> Result<Self, TokenError> {
        let library = library(&at)?;
        let open = open(&library, &at, &pin)?;
        let public = public(&open.session, &at)?;
        let signer = Self {
            at,
            pin,
            library,
            public,
            state: Mutex::new(State::Open(open)),
        };
        match signer.sign_message(TRIAL) {
            Ok(_) => Ok(signer),
            Err(SignError { reason }) => Err(TokenError::Key {
                key: signer.at.key,
                why: reason,
            }),
        }
    }

    fn sign_once(&self, open: &Open, message: &[u8]) -> Result<[u8; 64], SignError> {
        let scheme = Mechanism::Eddsa(EddsaParams::new(EddsaSignatureScheme::Pure));
        let signed = open.session.sign(&scheme, open.private, message);
        let signed = signed.map_err(|e| self.failed(&e))?;
        // A token that computes wrongly could give its key away.
        self.public
            .verify_message(message, &signed)
            .map_err(|_| SignError {
                reason: format!(
                    "the token `{}` gave a signature that does not hold",
                    self.at.token
                ),
            })?;
        signed.try_into().map_err(|_| SignError {
            reason: "the signature is not 64 bytes".into(),
        })
    }

    /// Pulled out and put back in it has forgotten the session, and some libraries know a token no more that
    /// was away while they ran: these are begun anew. Another key of the same library is opened anew then too.
    fn open_again(&self) -> Result<Open, TokenError> {
        match open(&self.library, &self.at, &self.pin) {
            Err(why) if !matches!(why, TokenError::Pin { .. }) => {
                // One that was not running any more is begun all the same.
                let _ = self.library.clone().finalize();
                begin(&self.library, &self.at)?;
                open(&self.library, &self.at, &self.pin)
            }
            opened => opened,
        }
    }

    fn failed(&self, why: &dyn fmt::Display) -> SignError {
        SignError {
            reason: format!(
                "the token `{}` does not sign ({why}): is it plugged in?",
                self.at.token
            ),
        }
    }
}

impl Signer for TokenSigner {
    fn verify_key(&self) -> &VerifyKey {
        &self.public
    }

    fn sign_message(&self, message: &[u8]) -> Result<[u8; 64], SignError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *state {
            State::Open(open) => match self.sign_once(open, message) {
                Ok(signature) => {
                    open.signed = Some(Instant::now());
                    return Ok(signature);
                }
                // Its session is closed with it.
                Err(why) => *state = State::gone(why),
            },
            State::Refused(why) => return Err(why.clone()),
            State::Gone { why, looked } if looked.elapsed() < AGAIN => return Err(why.clone()),
            State::Gone { .. } => {}
        }
        let mut open = self.open_again().map_err(|why| {
            let failed = self.failed(&why);
            *state = match why {
                TokenError::Pin { .. } => State::Refused(failed.clone()),
                _ => State::gone(failed.clone()),
            };
            failed
        })?;
        let signature = self.sign_once(&open, message);
        open.signed = Some(Instant::now());
        *state = match &signature {
            Ok(_) => State::Open(open),
            Err(why) => State::gone(why.clone()),
        };
        signature
    }

    fn is_device(&self) -> bool {
        true
    }

    fn ready(&self) -> Result<(), SignError> {
        let lately = match &*self.state.lock().unwrap_or_else(PoisonError::into_inner) {
            State::Open(open) => open.signed.is_some_and(|at| at.elapsed() < LATELY),
            State::Gone { .. } | State::Refused(_) => false,
        };
        match lately {
            true => Ok(()),
            false => self.sign_message(TRIAL).map(|_| ()),
        }
    }

    fn trouble(&self) -> Option<SignError> {
        // A token that is at work may take seconds; it is asked again soon.
        match &*self.state.try_lock().ok()? {
            State::Open(_) => None,
            State::Gone { why, .. } | State::Refused(why) => Some(why.clone()),
        }
    }
}

impl fmt::Debug for TokenSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "TokenSigner({:?} in `{}`)",
            self.public.kid(),
            self.at.token
        )
    }
}

fn library(at: &TokenKey) -> Result<Pkcs11, TokenError> {
    let library = Pkcs11::new(&at.module).map_err(|e| unusable(at, &e))?;
    begin(&library, at)?;
    Ok(library)
}

fn begin(library: &Pkcs11, at: &TokenKey) -> Result<(), TokenError> {
    match library.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
        // Another key of the same library is in use.
        Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => Ok(()),
        Err(e) => Err(unusable(at, &e)),
    }
}

fn unusable(at: &TokenKey, why: &Error) -> TokenError {
    TokenError::Module {
        module: at.module.clone(),
        why: why.to_string(),
    }
}

fn open(library: &Pkcs11, at: &TokenKey, pin: &Passphrase) -> Result<Open, TokenError> {
    let said = |e: Error| TokenError::Token {
        token: at.token.clone(),
        why: e.to_string(),
    };
    let labelled = |slot: &Slot| {
        let info = library.get_token_info(*slot);
        info.is_ok_and(|info| info.label() == at.token)
    };
    let slots = library.get_slots_with_initialized_token().map_err(said)?;
    let slots: Vec<Slot> = slots.into_iter().filter(labelled).collect();
    let [slot] = slots[..] else {
        return Err(TokenError::Tokens {
            token: at.token.clone(),
            found: slots.len(),
        });
    };
    let session = library.open_ro_session(slot).map_err(said)?;
    match session.login(UserType::User, Some(&AuthPin::new(pin.expose().into()))) {
        Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => {}
        Err(e) => return Err(not_logged_in(at, &e)),
    }
    let private = find(&session, at, ObjectClass::PRIVATE_KEY, "private")?;
    Ok(Open {
        session,
        private,
        signed: None,
    })
}

/// Only what is said of the PIN is for good: a reader that fails may serve again.
fn not_logged_in(at: &TokenKey, said: &Error) -> TokenError {
    let (token, why) = (at.token.clone(), said.to_string());
    match said {
        Error::Pkcs11(
            RvError::PinIncorrect
            | RvError::PinInvalid
            | RvError::PinLenRange
            | RvError::PinExpired
            | RvError::PinLocked,
            _,
        ) => TokenError::Pin { token, why },
        _ => TokenError::Token { token, why },
    }
}

fn find(
    session: &Session,
    at: &TokenKey,
    class: ObjectClass,
    half: &'static str,
) -> Result<ObjectHandle, TokenError> {
    let wanted = [
        Attribute::Class(class),
        Attribute::KeyType(KeyType::EC_EDWARDS),
        Attribute::Label(at.key.as_bytes().to_vec()),
    ];
    let found = session
        .find_objects(&wanted)
        .map_err(|e| TokenError::Token {
            token: at.token.clone(),
            why: e.to_string(),
        })?;
    match found[..] {
        [one] => Ok(one),
        _ => Err(TokenError::Keys {
            half,
            key: at.key.clone(),
            found: found.len(),
        }),
    }
}

/// CKA_EC_POINT: the key as an OCTET STRING, by the standard; some give its bytes alone.
fn public(session: &Session, at: &TokenKey) -> Result<VerifyKey, TokenError> {
    let bad = |why: String| TokenError::Key {
        key: at.key.clone(),
        why,
    };
    let handle = find(session, at, ObjectClass::PUBLIC_KEY, "public")?;
    let said = session.get_attributes(handle, &[AttributeType::EcPoint]);
    let said = said.map_err(|e| bad(e.to_string()))?;
    let point = said.iter().find_map(|attribute| match attribute {
        Attribute::EcPoint(point) => Some(&point[..]),
        _ => None,
    });
    let point = point.ok_or_else(|| bad("the token does not tell its public key".to_owned()))?;
    let bytes = match point {
        [0x04, 0x20, bytes @ ..] => bytes,
        bytes => bytes,
    };
    VerifyKey::admit(bytes).map_err(|e| bad(e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use cryptoki::context::Function;

    #[test]
    fn only_a_refused_pin_is_for_good() {
        let at = TokenKey {
            module: "module.so".into(),
            token: "token".to_owned(),
            key: "key".to_owned(),
        };
        let pin = |said| {
            let why = not_logged_in(&at, &Error::Pkcs11(said, Function::Login));
            matches!(why, TokenError::Pin { .. })
        };
        for said in [
            RvError::PinIncorrect,
            RvError::PinInvalid,
            RvError::PinLenRange,
            RvError::PinExpired,
            RvError::PinLocked,
        ] {
            assert!(pin(said), "{said}");
        }
        for said in [
            RvError::DeviceError,
            RvError::DeviceRemoved,
            RvError::DeviceMemory,
            RvError::TokenNotPresent,
            RvError::SessionHandleInvalid,
            RvError::GeneralError,
        ] {
            assert!(!pin(said), "{said}");
        }
        let why = not_logged_in(&at, &Error::NotSupported);
        assert!(matches!(why, TokenError::Token { .. }));
    }
}
