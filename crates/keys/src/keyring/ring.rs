use crate::SealSecret;
use abeng_wire::Kid;
use std::sync::{Arc, PoisonError, RwLock};

/// The seal keys of a party, newest last. They change while the node runs; a shared keyring sees it
/// at once.
pub struct SealRing(RwLock<Vec<Arc<SealSecret>>>);

impl SealRing {
    /// These keys, newest last.
    pub fn new(keys: Vec<Arc<SealSecret>>) -> Self {
        Self(RwLock::new(keys))
    }

    /// All keys at this moment, newest last.
    pub fn all(&self) -> Vec<Arc<SealSecret>> {
        // A list is never left half changed.
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The key that was added last.
    pub fn newest(&self) -> Option<Arc<SealSecret>> {
        self.all().pop()
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.all().len()
    }

    /// The key with that identifier.
    pub fn get(&self, kid: &Kid) -> Option<Arc<SealSecret>> {
        self.all().into_iter().find(|key| key.kid() == *kid)
    }

    /// Adds a key behind the others. In memory only: [`crate::Keyring::save`] keeps it.
    pub fn add(&self, key: Arc<SealSecret>) {
        self.0
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .push(key);
    }

    /// These in place of all that there were.
    pub fn replace(&self, keys: Vec<Arc<SealSecret>>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = keys;
    }

    /// Lets go of a key, which is wiped once nobody uses it any more. Whether it was there. In memory
    /// only: [`crate::Keyring::save`] forgets it on disk.
    pub fn forget(&self, kid: &Kid) -> bool {
        let mut keys = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let before = keys.len();
        keys.retain(|key| key.kid() != *kid);
        keys.len() < before
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SystemEntropy;

    #[test]
    fn what_is_added_is_found_and_what_is_forgotten_is_gone() {
        let key = || Arc::new(SealSecret::generate(&mut SystemEntropy));
        let (first, second) = (key(), key());
        let ring = SealRing::new(vec![first.clone()]);
        ring.add(second.clone());
        assert_eq!(ring.newest().map(|k| k.kid()), Some(second.kid()));
        assert!(ring.get(&first.kid()).is_some());
        assert!(ring.forget(&first.kid()));
        assert!(!ring.forget(&first.kid()));
        assert_eq!((ring.count(), ring.get(&first.kid()).is_some()), (1, false));
        assert_eq!(Arc::strong_count(&first), 1, "nobody holds it any more");
    }
}
