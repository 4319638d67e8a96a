//! What people read where a node runs on an old copy of its data, in the four languages of the
//! network: officers when they submit, administrators at the head of `abeng status`.

use super::fill;
use crate::CliError;
use abeng_api::StatusView;
use abeng_notice::Lang;

/// The code of a refusal by a node that runs on an old copy.
const CODE: &str = "old_copy";

/// The texts of one language.
#[derive(Debug)]
struct OldCopy {
    refused: &'static str,
    ask: &'static str,
    /// `{life}`, `{begun}`.
    newer: &'static str,
    /// `{peer}`, `{at}`.
    shown: &'static str,
    switch_off: &'static str,
    to_keep: &'static str,
    /// `{why}`.
    other: &'static str,
    find: &'static str,
}

/// The head of a status whose node submits nothing; nothing where it does. `time` writes a moment.
pub(crate) fn head(
    status: &StatusView,
    lang: Lang,
    time: impl Fn(&str) -> String,
) -> Option<String> {
    let why = status.submitting_stopped.as_deref()?;
    let t = of(lang);
    let Some(newer) = &status.newer_life else {
        return Some(format!("{} {}", fill(t.other, &[("why", why)]), t.find));
    };
    let begun = time(&newer.begun_at);
    let mut said = fill(t.newer, &[("life", &newer.incarnation), ("begun", &begun)]);
    if let (Some(peer), Some(at)) = (&newer.shown_by, &newer.shown_at) {
        said += " ";
        said += &fill(t.shown, &[("peer", peer), ("at", &time(at))]);
    }
    Some(format!("{said} {} {}", t.switch_off, t.to_keep))
}

/// A refusal in the reader's language, if it is by a node that runs on an old copy.
pub(crate) fn told(mut error: CliError, lang: Lang) -> CliError {
    if error.code == CODE {
        let t = of(lang);
        t.refused.clone_into(&mut error.message);
        error.try_this = Some(t.ask.to_owned());
    }
    error
}

fn of(lang: Lang) -> &'static OldCopy {
    match lang {
        Lang::En => &EN,
        Lang::Es => &ES,
        Lang::Fr => &FR,
        Lang::Nl => &NL,
    }
}

static EN: OldCopy = OldCopy {
    refused: "this node submits nothing: it runs on an old copy of its data, or is running twice",
    ask: "submit at the other copy of this node. Tell your administrator: `abeng status` says which copy to switch off, and `abeng node new-incarnation` is the way if this one is to be kept",
    newer: "THIS NODE SUBMITS NOTHING: it runs on an old copy of its data. A newer life of its log, {life}, begun {begun}, is at work elsewhere.",
    shown: "{peer} showed it here first, on {at}.",
    switch_off: "Usually THIS copy is the one to switch off: stop this node for good and work with the other. Peers that know of the newer life refuse this one.",
    to_keep: "Only if this copy is to be kept: switch the other off for good, stop this node, run `abeng node new-incarnation --although-newer --reason TEXT` and start it. What only the other one had then comes back only as far as peers still hold it.",
    other: "THIS NODE SUBMITS NOTHING: it runs on an old copy of its data, or is running twice ({why}).",
    find: "Find out whether another copy of this node runs. If so, keep the one that did more, usually not this one, and switch the other off for good. If this one is kept: stop it, run `abeng node new-incarnation --reason TEXT` and start it.",
};

static ES: OldCopy = OldCopy {
    refused: "este nodo no envía nada: funciona con una copia antigua de sus datos, o funciona dos veces",
    ask: "envíe desde la otra copia de este nodo. Avise a su administrador: `abeng status` dice qué copia hay que apagar, y `abeng node new-incarnation` es el camino si se conserva esta",
    newer: "ESTE NODO NO ENVÍA NADA: funciona con una copia antigua de sus datos. Una vida más nueva de su registro, {life}, comenzada el {begun}, trabaja en otro lugar.",
    shown: "{peer} la mostró aquí por primera vez el {at}.",
    switch_off: "Por lo general es ESTA copia la que hay que apagar: detenga este nodo para siempre y trabaje con la otra. Quienes conocen la vida más nueva rechazan esta.",
    to_keep: "Solo si se ha de conservar esta copia: apague la otra para siempre, detenga este nodo, ejecute `abeng node new-incarnation --although-newer --reason TEXT` y arránquelo. Lo que solo tenía la otra volverá únicamente en la medida en que los demás lo conserven.",
    other: "ESTE NODO NO ENVÍA NADA: funciona con una copia antigua de sus datos, o funciona dos veces ({why}).",
    find: "Averigüe si funciona otra copia de este nodo. Si es así, conserve la que hizo más, que por lo general no es esta, y apague la otra para siempre. Si se conserva esta: deténgala, ejecute `abeng node new-incarnation --reason TEXT` y arránquela.",
};

static FR: OldCopy = OldCopy {
    refused: "ce nœud n’envoie rien : il fonctionne sur une ancienne copie de ses données, ou fonctionne en double",
    ask: "envoyez depuis l’autre copie de ce nœud. Prévenez votre administrateur : `abeng status` dit quelle copie arrêter, et `abeng node new-incarnation` est la voie à suivre si celle-ci est gardée",
    newer: "CE NŒUD N’ENVOIE RIEN : il fonctionne sur une ancienne copie de ses données. Une vie plus récente de son journal, {life}, commencée le {begun}, est à l’œuvre ailleurs.",
    shown: "{peer} l’a montrée ici pour la première fois le {at}.",
    switch_off: "En général, c’est CETTE copie qu’il faut arrêter : arrêtez ce nœud pour de bon et travaillez avec l’autre. Ceux qui connaissent la vie plus récente refusent celle-ci.",
    to_keep: "Seulement si cette copie doit être gardée : arrêtez l’autre pour de bon, arrêtez ce nœud, lancez `abeng node new-incarnation --although-newer --reason TEXT` et redémarrez-le. Ce que seule l’autre avait ne reviendra que dans la mesure où les autres le conservent encore.",
    other: "CE NŒUD N’ENVOIE RIEN : il fonctionne sur une ancienne copie de ses données, ou fonctionne en double ({why}).",
    find: "Cherchez si une autre copie de ce nœud fonctionne. Si oui, gardez celle qui en a fait le plus, en général pas celle-ci, et arrêtez l’autre pour de bon. Si celle-ci est gardée : arrêtez-la, lancez `abeng node new-incarnation --reason TEXT` et redémarrez-la.",
};

static NL: OldCopy = OldCopy {
    refused: "dit knooppunt verzendt niets: het draait op een oude kopie van zijn gegevens, of draait dubbel",
    ask: "verzend vanaf de andere kopie van dit knooppunt. Zeg het uw beheerder: `abeng status` zegt welke kopie uit moet, en `abeng node new-incarnation` is de weg als deze blijft",
    newer: "DIT KNOOPPUNT VERZENDT NIETS: het draait op een oude kopie van zijn gegevens. Een nieuwer leven van zijn log, {life}, begonnen op {begun}, is elders aan het werk.",
    shown: "{peer} liet het hier voor het eerst zien op {at}.",
    switch_off: "Meestal is DEZE kopie degene die uit moet: stop dit knooppunt voorgoed en werk met de andere. Wie het nieuwere leven kent, weigert dit.",
    to_keep: "Alleen als deze kopie moet blijven: zet de andere voorgoed uit, stop dit knooppunt, voer `abeng node new-incarnation --although-newer --reason TEXT` uit en start het. Wat alleen de andere had, komt dan alleen terug voor zover anderen het nog bewaren.",
    other: "DIT KNOOPPUNT VERZENDT NIETS: het draait op een oude kopie van zijn gegevens, of draait dubbel ({why}).",
    find: "Ga na of er een andere kopie van dit knooppunt draait. Zo ja, houd die het meeste deed, meestal niet deze, en zet de andere voorgoed uit. Blijft deze: stop haar, voer `abeng node new-incarnation --reason TEXT` uit en start haar.",
};

#[cfg(test)]
mod tests {
    use super::*;
    use abeng_api::NewerLifeView;

    #[test]
    fn every_language_says_which_copy_and_why() {
        let mut heads = std::collections::BTreeSet::new();
        for lang in Lang::ALL {
            let time = |at: &str| at.to_owned();
            let mut status = StatusView::default();
            assert_eq!(head(&status, lang, time), None);
            status.submitting_stopped = Some("seven leaves".into());
            let said = head(&status, lang, time).unwrap();
            assert!(said.contains("seven leaves") && said.contains("new-incarnation --reason"));
            status.newer_life = Some(NewerLifeView {
                incarnation: "0199".into(),
                begun_at: "yesterday".into(),
                shown_by: Some("LC".into()),
                shown_at: Some("today".into()),
            });
            let said = head(&status, lang, time).unwrap();
            for part in ["0199", "yesterday", "LC", "today", "--although-newer"] {
                assert!(said.contains(part), "{part}: {said}");
            }
            assert!(!said.contains('{') && !said.contains('?'), "{said}");
            heads.insert(said);
            let mut error = CliError::usage("x");
            error.code = CODE;
            let error = told(error, lang);
            assert!(
                error
                    .try_this
                    .unwrap()
                    .contains("abeng node new-incarnation")
            );
            assert_ne!(error.message, "x");
        }
        assert_eq!(heads.len(), 4);
    }
}
