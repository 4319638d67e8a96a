//! Files over paths that are paid by the byte: both fetching and serving keep to the day's budget,
//! less what is kept for FLASH.
//!
//! Pieces go one at a time, each in a stream of its own, and the next one only once the last is
//! acknowledged and all of it is counted: what waits in send buffers, or went twice, is then not
//! taken for bytes that are left. A piece goes only where all of it has room. Until it is counted
//! it is *promised*, so that two files do not spend the same bytes.

use super::Store;
use crate::{clock, cost, metered::Way, shared::Shared};
use abeng_link::{Link, LinkStats, Profile};
use abeng_seal::AttachmentRef;
use abeng_wire::{PartyCode, limits};

/// Of a piece's price, what is kept at most for what is lost and sent again. A path that loses
/// more goes that much beyond the budget.
const MOST_LOST: u64 = 4;

/// The price of a piece in bytes of the budget, headers and acknowledgements included. 0 behind
/// the last.
fn price(of: AttachmentRef, index: u64) -> u64 {
    match index < of.pieces() {
        true => cost::piece_price(of.piece_len(index) as u64),
        false => 0,
    }
}

/// The same, with as much again as the link has lost up to now.
fn price_with_losses(price: u64, stats: LinkStats) -> u64 {
    let arrived = stats.sent.saturating_sub(stats.lost).max(1);
    let again = u128::from(price) * u128::from(stats.lost) / u128::from(arrived);
    price + (again as u64).min(price / MOST_LOST)
}

impl Shared {
    /// Whether the path to a peer has a budget to keep to.
    pub(crate) fn has_budget(&self, peer: PartyCode) -> bool {
        self.profile(peer) == Profile::Metered && self.config.link.metered.budget.is_some()
    }

    /// How many files are brought on a link at a time: where a budget is kept, one, so that what
    /// comes whole today is not two halves.
    pub(super) fn files_at_a_time(&self, peer: PartyCode) -> usize {
        match self.has_budget(peer) {
            true => 1,
            false => limits::ATTACHMENT_STREAMS,
        }
    }

    /// Pieces that go in one stream; 0: all that are left.
    pub(super) fn pieces_at_a_time(&self, peer: PartyCode) -> u64 {
        u64::from(self.has_budget(peer))
    }

    /// Whether the day has room for a piece that is to go over a link. If so, and if there is a
    /// budget, its bytes are promised until [`Shared::went`].
    pub(super) fn may_go(&self, link: &Link, way: Way, of: AttachmentRef, index: u64) -> bool {
        if !self.has_budget(link.peer()) {
            return true;
        }
        let bare = price(of, index);
        let price = match way {
            Way::Out => price_with_losses(bare, link.stats()),
            // What is lost on its way here costs nothing here.
            Way::In => bare,
        };
        self.metered.promise(link, way, price, clock::wall())
    }

    /// A piece has gone, or goes no more: what it took is counted, and nothing is promised to it.
    pub(super) fn went(&self, link: &Link, way: Way) {
        self.metered.keep(link, way, clock::wall());
    }

    /// Whether a file is not to be asked of a peer because the own day has no room for its next
    /// piece.
    pub(super) fn own_budget_lacks(
        &self,
        (of, store): (AttachmentRef, Store),
        peer: PartyCode,
    ) -> bool {
        let next = self.attachments.store(store).arrived(of) >> 20;
        let left = || self.metered.today(clock::wall()).left;
        next < of.pieces()
            && self.has_budget(peer)
            && left().is_some_and(|left| price(of, next) > left)
    }

    /// Whether a file of an originator waits because the own day has no room for it, whomever it
    /// may be asked of now.
    pub(super) fn own_day_lacks(&self, of: AttachmentRef, originator: PartyCode) -> bool {
        let lacks = |peer| self.own_budget_lacks((of, Store::Own), peer);
        if self.config.link.metered.budget.is_none() {
            return false;
        }
        let ways = self.ways_from(originator);
        match ways.is_empty() {
            true => lacks(originator),
            false => ways.iter().all(|way| lacks(way.peer())),
        }
    }

    /// What a whole piece may need, where no day has room for that.
    pub(super) fn no_day_takes_a_piece(&self) -> Option<u64> {
        let metering = self.config.link.metered;
        let day = metering.budget?.saturating_sub(metering.flash);
        let price = cost::piece_price(limits::ATTACHMENT_PIECE as u64);
        let most = price + price / MOST_LOST;
        (most > day).then_some(most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_is_that_of_a_piece_that_there_is() {
        let of = AttachmentRef {
            root: [0; 32],
            length: (2 << 20) + 17,
        };
        let (whole, last) = (price(of, 0), price(of, 2));
        assert!(whole > 1 << 20 && whole < 12 << 17, "{whole}");
        assert!(last > 17 && last < 300, "{last}");
        assert_eq!((price(of, 1), price(of, 3)), (whole, 0));
    }

    #[test]
    fn a_path_that_loses_pays_for_it_up_to_a_bound() {
        let stats = |sent, lost| LinkStats {
            sent,
            lost,
            ..LinkStats::default()
        };
        let price = |sent, lost| price_with_losses(1_000, stats(sent, lost));
        assert_eq!(price(0, 0), 1_000);
        assert_eq!(price(100_000, 0), 1_000);
        // A tenth of it is lost, and a tenth of that again, and so on.
        assert_eq!(price(100_000, 10_000), 1_111);
        assert_eq!(price(100_000, 90_000), 1_250);
        assert_eq!(price(5, 9), 1_250);
    }
}
