//! What officers read about groups, in the four languages of the network.

use abeng_api::LeftOutWhy;
use abeng_notice::Lang;

/// The texts of one language about what a group stands for.
#[derive(Debug)]
pub(crate) struct Groups {
    /// `{group}`, `{members}`.
    pub(crate) stands_for: &'static str,
    /// `{group}`.
    pub(crate) nobody: &'static str,
    /// `{party}`.
    inactive: &'static str,
    /// `{party}`, `{until}`.
    new_to_network: &'static str,
    /// `{party}`, `{until}`, `{group}`.
    new_to_group: &'static str,
}

impl Groups {
    /// The texts of a language.
    pub(crate) fn of(lang: Lang) -> &'static Self {
        match lang {
            Lang::En => &EN,
            Lang::Es => &ES,
            Lang::Fr => &FR,
            Lang::Nl => &NL,
        }
    }

    /// Why a member is left out; places are to be filled. That the originator is not its own
    /// recipient needs no word.
    pub(crate) fn left_out(&self, why: LeftOutWhy) -> Option<&'static str> {
        match why {
            LeftOutWhy::Yourself => None,
            LeftOutWhy::Inactive => Some(self.inactive),
            LeftOutWhy::NewToNetwork => Some(self.new_to_network),
            LeftOutWhy::NewToGroup => Some(self.new_to_group),
        }
    }
}

static EN: Groups = Groups {
    stands_for: "{group} stands for {members}.",
    nobody: "{group} stands for nobody here now.",
    inactive: "Not to {party}: it does not take part at the moment.",
    new_to_network: "Not to {party}: it is new to the network and waits here until {until}, unless your administrator accepts it before.",
    new_to_group: "Not to {party}: it is new to {group} and waits here until {until}, unless your administrator accepts it before.",
};

static ES: Groups = Groups {
    stands_for: "{group} quiere decir {members}.",
    nobody: "{group} no quiere decir a nadie aquí por ahora.",
    inactive: "No a {party}: por ahora no participa.",
    new_to_network: "No a {party}: es nueva en la red y espera aquí hasta {until}, salvo que su administrador la acepte antes.",
    new_to_group: "No a {party}: es nueva en {group} y espera aquí hasta {until}, salvo que su administrador la acepte antes.",
};

static FR: Groups = Groups {
    stands_for: "{group} désigne {members}.",
    nobody: "{group} ne désigne personne ici pour l'instant.",
    inactive: "Pas à {party} : elle ne participe pas en ce moment.",
    new_to_network: "Pas à {party} : elle est nouvelle dans le réseau et attend ici jusqu'au {until}, sauf si votre administrateur l'accepte avant.",
    new_to_group: "Pas à {party} : elle est nouvelle dans {group} et attend ici jusqu'au {until}, sauf si votre administrateur l'accepte avant.",
};

static NL: Groups = Groups {
    stands_for: "{group} staat voor {members}.",
    nobody: "{group} staat hier nu voor niemand.",
    inactive: "Niet aan {party}: die doet op dit moment niet mee.",
    new_to_network: "Niet aan {party}: die is nieuw in het netwerk en wacht hier tot {until}, tenzij uw beheerder die eerder aanvaardt.",
    new_to_group: "Niet aan {party}: die is nieuw in {group} en wacht hier tot {until}, tenzij uw beheerder die eerder aanvaardt.",
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_fills_the_same_places() {
        let source = include_str!("groups.rs");
        for (place, at_least) in [("group", 12), ("members", 4), ("party", 12), ("until", 8)] {
            let count = source.matches(&format!("{{{place}}}")).count();
            assert!(count >= at_least, "{place}: {count}");
        }
        let words = Lang::ALL.map(|lang| Groups::of(lang).stands_for);
        assert_eq!(
            words
                .iter()
                .collect::<std::collections::BTreeSet<_>>()
                .len(),
            4
        );
    }
}
