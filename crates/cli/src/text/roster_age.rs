//! What people read where the trust data is old, past its time, or suspends their party, in the languages
//! of the network other than English: the node's own words are English.

use super::fill;
use abeng_api::{RosterAge, RosterState};
use abeng_node::age::{AGEING, EXPIRED, PAST_LIMIT, SUSPENDED};
use abeng_notice::Lang;

/// The texts of one language.
struct Texts {
    suspended: &'static str,
    /// `{days}`, `{on}`, `{left}`, `{limit}`.
    ageing: &'static str,
    /// The same places.
    past: &'static str,
    /// `{expired}`.
    expired: &'static str,
    held: &'static str,
    renew: &'static str,
}

/// Whether a warning of the node is told by [`told`] in that language.
pub(crate) fn is_told(warning: &str, lang: Lang) -> bool {
    let begins = [AGEING, EXPIRED, PAST_LIMIT, SUSPENDED];
    of(lang).is_some() && begins.iter().any(|b| warning.starts_with(b))
}

/// What is to be told of it, gravest first; nothing in English. `time` writes a moment.
pub(crate) fn told(age: &RosterAge, lang: Lang, time: impl Fn(&str) -> String) -> Vec<String> {
    let Some(t) = of(lang) else {
        return Vec::new();
    };
    let on = time(&age.confirmed_at);
    let expired = age.expired_at.as_deref().map(&time).unwrap_or_default();
    let values = [
        ("days", &*age.days.to_string()),
        ("on", &*on),
        (
            "left",
            &*age.limit_days.saturating_sub(age.days).to_string(),
        ),
        ("limit", &*age.limit_days.to_string()),
        ("expired", &*expired),
    ];
    let of_age = match age.state {
        RosterState::Fresh => None,
        RosterState::Ageing => Some(format!("{} {}", fill(t.ageing, &values), t.renew)),
        RosterState::PastLimit => Some(format!("{} {} {}", fill(t.past, &values), t.held, t.renew)),
        RosterState::Expired => Some(format!(
            "{} {} {}",
            fill(t.expired, &values),
            t.held,
            t.renew
        )),
    };
    let suspended = age.suspended.then(|| t.suspended.to_owned());
    suspended.into_iter().chain(of_age).collect()
}

fn of(lang: Lang) -> Option<&'static Texts> {
    match lang {
        Lang::En => None,
        Lang::Es => Some(&ES),
        Lang::Fr => Some(&FR),
        Lang::Nl => Some(&NL),
    }
}

static ES: Texts = Texts {
    suspended: "SEGÚN EL PADRÓN, ESTA ADMINISTRACIÓN ESTÁ SUSPENDIDA O SE HA RETIRADO: desde aquí no se envía nada, y los demás no mantienen enlaces con este nodo. Lo recibido se puede leer, exportar y probar. Pregunte a la Secretaría; un padrón más nuevo se admite sin reiniciar: `abeng roster import FILE`.",
    ageing: "el padrón se confirmó por última vez hace {days} días ({on}): desde entonces no ha llegado ninguna declaración de vigencia. En {left} día(s) los envíos nuevos esperarán a una segunda persona.",
    past: "EL PADRÓN SE CONFIRMÓ POR ÚLTIMA VEZ HACE {days} DÍAS ({on}), y el límite es de {limit}: uno más nuevo puede nombrar otros miembros y claves.",
    expired: "EL PADRÓN HA CADUCADO ({expired}): en otro lugar rige uno más nuevo, o nadie lo ha hecho. Si esa fecha no es cierta, compruebe el reloj de la máquina (`date -u`).",
    held: "Los envíos nuevos esperan hasta que una segunda persona los autorice (`abeng release list`); lo que está en camino sigue.",
    renew: "Obtenga la palabra más nueva: por un enlace con cualquier nodo que la tenga, en un archivo de mensajería (`abeng courier import`) o de la Secretaría (`abeng roster import FILE`).",
};

static FR: Texts = Texts {
    suspended: "SELON LE REGISTRE DES MEMBRES, CETTE ADMINISTRATION EST SUSPENDUE OU S’EST RETIRÉE : rien n’est envoyé d’ici, et les autres ne gardent pas de liaison avec ce nœud. Ce qui est arrivé peut être lu, exporté et prouvé. Demandez au Secrétariat ; un registre plus récent est pris sans redémarrage : `abeng roster import FILE`.",
    ageing: "le registre des membres a été confirmé pour la dernière fois il y a {days} jours ({on}) : aucune déclaration de fraîcheur n’est venue depuis. Dans {left} jour(s), les nouveaux envois attendront une deuxième personne.",
    past: "LE REGISTRE DES MEMBRES A ÉTÉ CONFIRMÉ POUR LA DERNIÈRE FOIS IL Y A {days} JOURS ({on}), et la limite est de {limit} : un plus récent peut nommer d’autres membres et d’autres clés.",
    expired: "LE REGISTRE DES MEMBRES A EXPIRÉ ({expired}) : un plus récent est en vigueur ailleurs, ou personne n’en a fait. Si cette date est fausse, vérifiez l’horloge de la machine (`date -u`).",
    held: "Les nouveaux envois attendent qu’une deuxième personne les autorise (`abeng release list`) ; ce qui est en route continue.",
    renew: "Procurez-vous la dernière déclaration : par une liaison avec tout nœud qui l’a, par un fichier de courrier (`abeng courier import`), ou auprès du Secrétariat (`abeng roster import FILE`).",
};

static NL: Texts = Texts {
    suspended: "VOLGENS DE LEDENLIJST IS DEZE DIENST GESCHORST OF UITGETREDEN: van hier wordt niets verzonden, en anderen houden geen verbinding met dit knooppunt. Wat er is, kan worden gelezen, uitgevoerd en bewezen. Vraag het Secretariaat; een nieuwere lijst wordt zonder herstart aangenomen: `abeng roster import FILE`.",
    ageing: "de ledenlijst is {days} dagen geleden voor het laatst bevestigd ({on}): sindsdien is er geen verklaring van actualiteit gekomen. Over {left} dag(en) wachten nieuwe indieningen op een tweede persoon.",
    past: "DE LEDENLIJST IS {days} DAGEN GELEDEN VOOR HET LAATST BEVESTIGD ({on}), en de grens is {limit}: een nieuwere kan andere leden en sleutels noemen.",
    expired: "DE LEDENLIJST IS VERLOPEN ({expired}): elders geldt een nieuwere, of niemand heeft er een gemaakt. Klopt die datum niet, controleer dan de klok van de machine (`date -u`).",
    held: "Nieuwe indieningen wachten tot een tweede persoon ze vrijgeeft (`abeng release list`); wat onderweg is, gaat door.",
    renew: "Haal de nieuwste verklaring: over een verbinding met elk knooppunt dat haar heeft, met een koeriersbestand (`abeng courier import`), of bij het Secretariaat (`abeng roster import FILE`).",
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_tells_each_state_apart_and_with_its_numbers() {
        let mut all = std::collections::BTreeSet::new();
        let time = |at: &str| at.to_owned();
        for lang in [Lang::Es, Lang::Fr, Lang::Nl] {
            for (state, says) in [
                (RosterState::Ageing, ["17", "13", "date-c", "import"]),
                (
                    RosterState::PastLimit,
                    ["17", "30", "date-c", "release list"],
                ),
                (
                    RosterState::Expired,
                    ["date-x", "date -u", "import", "release list"],
                ),
            ] {
                let age = RosterAge {
                    state,
                    confirmed_at: "date-c".into(),
                    days: 17,
                    limit_days: 30,
                    expired_at: Some("date-x".into()),
                    suspended: true,
                };
                let [suspended, told] = &self::told(&age, lang, time)[..] else {
                    panic!("two");
                };
                for said in says {
                    assert!(told.contains(said), "{lang} {said}: {told}");
                }
                assert!(!told.contains('{') && !suspended.contains('{'), "{told}");
                assert!(all.insert(told.clone()), "{told}");
            }
            assert_eq!(told(&RosterAge::default(), lang, time), [""; 0]);
            assert!(is_told(&format!("{PAST_LIMIT} 31 DAYS AGO"), lang));
        }
        // The node's English is the reader's.
        assert!(!is_told(&format!("{PAST_LIMIT} 31 DAYS AGO"), Lang::En));
    }
}
