//! What officers read about submissions that wait for a second person, in the four languages of the
//! network.

use super::Counted;
use abeng_api::ReleaseWhy;
use abeng_notice::Lang;

/// The texts of one language about dual control.
#[derive(Debug)]
pub(crate) struct Release {
    /// `{type}`, `{to}`.
    pub(crate) held: &'static str,
    /// `{type}`, `{to}`.
    pub(crate) would_be_held: &'static str,
    /// `{why}`.
    pub(crate) because: &'static str,
    why_type: &'static str,
    why_tlp: &'static str,
    why_nominal: &'static str,
    why_age: &'static str,
    why_expired: &'static str,
    /// `{days}`: counted as below.
    pub(crate) aged: &'static str,
    /// What ends that for all.
    pub(crate) renew: &'static str,
    days: Counted,
    /// `{releasers}`.
    pub(crate) who: &'static str,
    /// Where nobody is named.
    pub(crate) anybody: &'static str,
    /// `{id}`.
    pub(crate) id: &'static str,
    pub(crate) follow: &'static str,
    /// `{id}`.
    pub(crate) withdraw: &'static str,
    pub(crate) none: &'static str,
    pub(crate) column_since: &'static str,
    pub(crate) column_by: &'static str,
    /// Marks what cannot be released as it is.
    pub(crate) stuck: &'static str,
    pub(crate) label_by: &'static str,
    pub(crate) label_since: &'static str,
    pub(crate) label_to: &'static str,
    pub(crate) label_precedence: &'static str,
    /// `{by}`, `{officer}`.
    pub(crate) names_officer: &'static str,
    /// `{why}`.
    pub(crate) trouble: &'static str,
    pub(crate) maybe_sent: &'static str,
    /// `{leaf}`.
    pub(crate) logged: &'static str,
    /// `{matter}`, `{to}`, `{by}`.
    pub(crate) ask: &'static str,
    pub(crate) not_released: &'static str,
    pub(crate) needs_yes: &'static str,
    pub(crate) add_yes: &'static str,
    /// `{id}`, `{leaf}`.
    pub(crate) denied: &'static str,
    /// `{recalls}`.
    pub(crate) recalled_already: &'static str,
    pub(crate) status_label: &'static str,
    waiting: Counted,
    /// `{count}`, `{since}`: the count as above.
    oldest: &'static str,
}

impl Release {
    /// The texts of a language.
    pub(crate) fn of(lang: Lang) -> &'static Self {
        match lang {
            Lang::En => &EN,
            Lang::Es => &ES,
            Lang::Fr => &FR,
            Lang::Nl => &NL,
        }
    }

    /// Why a notice waits.
    pub(crate) fn why(&self, why: &[ReleaseWhy]) -> String {
        let words = why.iter().map(|why| match why {
            ReleaseWhy::Type => self.why_type,
            ReleaseWhy::Tlp => self.why_tlp,
            ReleaseWhy::Nominal => self.why_nominal,
            ReleaseWhy::Age => self.why_age,
            ReleaseWhy::Expired => self.why_expired,
        });
        words.collect::<Vec<_>>().join(", ")
    }

    /// How old the trust data is that it waits for.
    pub(crate) fn aged(&self, days: u64) -> String {
        let of = match days {
            1 => self.days.one,
            _ => self.days.many,
        };
        let days = super::fill(of, &[("count", &days.to_string())]);
        super::fill(self.aged, &[("days", &days)])
    }

    /// How much waits, and since when.
    pub(crate) fn waiting(&self, count: u32, since: Option<&str>) -> String {
        let of = match count {
            1 => self.waiting.one,
            _ => self.waiting.many,
        };
        let told = super::fill(of, &[("count", &count.to_string())]);
        match since.filter(|_| count > 0) {
            Some(since) => super::fill(self.oldest, &[("count", &told), ("since", since)]),
            None => told,
        }
    }
}

static EN: Release = Release {
    held: "{type} for {to} is HELD: nothing is sent yet. A second person must release it.",
    would_be_held: "{type} for {to} would be held until a second person releases it.",
    because: "It waits because of: {why}.",
    why_type: "its type",
    why_tlp: "its label (TLP)",
    why_nominal: "names of persons",
    why_age: "the age of the trust data",
    why_expired: "an expired roster",
    aged: "This node's roster was last confirmed {days} ago: a newer one may name other members and keys.",
    renew: "To end that for all submissions, get the newest word: by a link to any node that has it, with abeng courier import, or from the Secretariat with abeng roster import FILE.",
    days: Counted {
        one: "{count} day",
        many: "{count} days",
    },
    anybody: "Who may release it: anybody else who may use this node's socket, under another user of the machine; your administrator says who ([api] group, [policy.dual_control]).",
    who: "Who may release it, but never what they submitted themselves: {releasers}.",
    id: "Id while it waits: {id}",
    follow: "Follow it with: abeng release list",
    withdraw: "Withdraw it with: abeng release deny {id} --reason TEXT",
    none: "Nothing waits for release.",
    column_since: "SINCE",
    column_by: "BY",
    stuck: "STUCK",
    label_by: "Submitted by",
    label_since: "Waits since",
    label_to: "Would go to",
    label_precedence: "Precedence",
    names_officer: "{by}, who names as officer: {officer}",
    trouble: "As it is, it cannot be released: {why}",
    maybe_sent: "It comes from a backup or an earlier life of the log: it may have been released since, and SENT. Look at abeng sent and ask the recipients before you release it.",
    logged: "That you read it is in the audit log (leaf {leaf}).",
    ask: "Submitted by {by}: {matter}. Release it to {to}?",
    not_released: "Nothing was released; it goes on waiting.",
    needs_yes: "what is released is sent at once, and can only be recalled",
    add_yes: "look with abeng release show ID; add --yes if it is to go",
    denied: "{id} is denied: it is deleted, and nothing of it is sent (leaf {leaf}).",
    recalled_already: "These recalls had been sent before, when a release of it failed half-way, and stand: {recalls}.",
    status_label: "Release",
    waiting: Counted {
        one: "{count} submission waits for release",
        many: "{count} submissions wait for release",
    },
    oldest: "{count}, the oldest since {since}",
};

static ES: Release = Release {
    held: "{type} para {to} queda RETENIDO: todavía no se envía nada. Una segunda persona debe autorizarlo.",
    would_be_held: "{type} para {to} quedaría retenido hasta que una segunda persona lo autorice.",
    because: "Espera por: {why}.",
    why_type: "su tipo",
    why_tlp: "su etiqueta (TLP)",
    why_nominal: "nombres de personas",
    why_age: "la antigüedad de los datos de confianza",
    why_expired: "un padrón caducado",
    aged: "El padrón de este nodo se confirmó por última vez hace {days}: uno más nuevo puede nombrar otros miembros y claves.",
    renew: "Para que ningún envío espere por eso, obtenga la palabra más nueva: por un enlace con cualquier nodo que la tenga, con abeng courier import, o de la Secretaría con abeng roster import FILE.",
    days: Counted {
        one: "{count} día",
        many: "{count} días",
    },
    anybody: "Puede autorizarlo cualquier otra persona que use el socket de este nodo con otro usuario de la máquina; su administrador dice quién ([api] group, [policy.dual_control]).",
    who: "Pueden autorizarlo, pero nunca lo que presentaron ellos mismos: {releasers}.",
    id: "Id mientras espera: {id}",
    follow: "Sígalo con: abeng release list",
    withdraw: "Retírelo con: abeng release deny {id} --reason TEXTO",
    none: "Nada espera autorización.",
    column_since: "DESDE",
    column_by: "DE",
    stuck: "PARADO",
    label_by: "Presentado por",
    label_since: "Espera desde",
    label_to: "Iría a",
    label_precedence: "Precedencia",
    names_officer: "{by}, que nombra como funcionario a: {officer}",
    trouble: "Tal como está no se puede autorizar: {why}",
    maybe_sent: "Procede de una copia de seguridad o de una vida anterior del registro: puede que se haya autorizado después, y ENVIADO. Mire abeng sent y pregunte a los destinatarios antes de autorizarlo.",
    logged: "Que usted lo leyó consta en el registro de auditoría (hoja {leaf}).",
    ask: "Presentado por {by}: {matter}. ¿Autorizar su envío a {to}?",
    not_released: "No se autorizó nada; sigue esperando.",
    needs_yes: "lo que se autoriza se envía en el acto, y solo se puede revocar",
    add_yes: "véalo con abeng release show ID; añada --yes si debe salir",
    denied: "{id} está denegado: se borra y no se envía nada de él (hoja {leaf}).",
    recalled_already: "Estas retiradas ya se habían enviado, cuando una autorización falló a medias, y siguen en pie: {recalls}.",
    status_label: "Autorización",
    waiting: Counted {
        one: "{count} envío espera autorización",
        many: "{count} envíos esperan autorización",
    },
    oldest: "{count}, el más antiguo desde {since}",
};

static FR: Release = Release {
    held: "{type} pour {to} est RETENU : rien n'est encore envoyé. Une deuxième personne doit l'autoriser.",
    would_be_held: "{type} pour {to} serait retenu jusqu'à ce qu'une deuxième personne l'autorise.",
    because: "Raison de l'attente : {why}.",
    why_type: "son type",
    why_tlp: "son étiquette (TLP)",
    why_nominal: "des noms de personnes",
    why_age: "l'âge des données de confiance",
    why_expired: "un registre des membres expiré",
    aged: "Le registre des membres de ce nœud a été confirmé pour la dernière fois il y a {days} : un plus récent peut nommer d'autres membres et d'autres clés.",
    renew: "Pour que plus aucun envoi n'attende pour cela, procurez-vous la dernière déclaration : par une liaison avec tout nœud qui l'a, avec abeng courier import, ou auprès du Secrétariat avec abeng roster import FILE.",
    days: Counted {
        one: "{count} jour",
        many: "{count} jours",
    },
    anybody: "Peut l'autoriser toute autre personne qui utilise le socket de ce nœud sous un autre utilisateur de la machine ; votre administrateur dit qui ([api] group, [policy.dual_control]).",
    who: "Peuvent l'autoriser, mais jamais ce qu'ils ont soumis eux-mêmes : {releasers}.",
    id: "Identifiant pendant l'attente : {id}",
    follow: "Pour le suivre : abeng release list",
    withdraw: "Pour le retirer : abeng release deny {id} --reason TEXTE",
    none: "Rien n'attend d'autorisation.",
    column_since: "DEPUIS",
    column_by: "DE",
    stuck: "BLOQUÉ",
    label_by: "Soumis par",
    label_since: "Attend depuis",
    label_to: "Irait à",
    label_precedence: "Priorité",
    names_officer: "{by}, qui nomme comme agent : {officer}",
    trouble: "En l'état, il ne peut pas être autorisé : {why}",
    maybe_sent: "Il vient d'une sauvegarde ou d'une vie antérieure du journal : il a pu être autorisé depuis, et ENVOYÉ. Regardez abeng sent et demandez aux destinataires avant de l'autoriser.",
    logged: "Le journal d'audit dit que vous l'avez lu (feuille {leaf}).",
    ask: "Soumis par {by} : {matter}. Autoriser l'envoi à {to} ?",
    not_released: "Rien n'a été autorisé ; il attend toujours.",
    needs_yes: "ce qui est autorisé part aussitôt, et ne peut être que rappelé",
    add_yes: "regardez-le avec abeng release show ID ; ajoutez --yes s'il doit partir",
    denied: "{id} est refusé : il est effacé, et rien n'en est envoyé (feuille {leaf}).",
    recalled_already: "Ces rappels étaient déjà partis, quand une autorisation a échoué à mi-chemin, et restent valables : {recalls}.",
    status_label: "Autorisation",
    waiting: Counted {
        one: "{count} envoi attend une autorisation",
        many: "{count} envois attendent une autorisation",
    },
    oldest: "{count}, le plus ancien depuis le {since}",
};

static NL: Release = Release {
    held: "{type} voor {to} wordt VASTGEHOUDEN: er is nog niets verzonden. Een tweede persoon moet het vrijgeven.",
    would_be_held: "{type} voor {to} zou worden vastgehouden tot een tweede persoon het vrijgeeft.",
    because: "Reden van het wachten: {why}.",
    why_type: "het type",
    why_tlp: "het label (TLP)",
    why_nominal: "namen van personen",
    why_age: "de ouderdom van de vertrouwensgegevens",
    why_expired: "een verlopen ledenlijst",
    aged: "De ledenlijst van dit knooppunt is {days} geleden voor het laatst bevestigd: een nieuwere kan andere leden en sleutels noemen.",
    renew: "Om dat voor alle indieningen te beëindigen, haal de nieuwste verklaring: over een verbinding met elk knooppunt dat haar heeft, met abeng courier import, of bij het Secretariaat met abeng roster import FILE.",
    days: Counted {
        one: "{count} dag",
        many: "{count} dagen",
    },
    anybody: "Het vrijgeven mag ieder ander die de socket van dit knooppunt mag gebruiken, onder een andere gebruiker van de machine; uw beheerder zegt wie ([api] group, [policy.dual_control]).",
    who: "Mogen het vrijgeven, maar nooit wat zij zelf hebben ingediend: {releasers}.",
    id: "Kenmerk zolang het wacht: {id}",
    follow: "Volg het met: abeng release list",
    withdraw: "Trek het in met: abeng release deny {id} --reason TEKST",
    none: "Er wacht niets op vrijgave.",
    column_since: "SINDS",
    column_by: "VAN",
    stuck: "VAST",
    label_by: "Ingediend door",
    label_since: "Wacht sinds",
    label_to: "Zou gaan naar",
    label_precedence: "Voorrang",
    names_officer: "{by}, die als ambtenaar noemt: {officer}",
    trouble: "Zoals het is kan het niet worden vrijgegeven: {why}",
    maybe_sent: "Het komt uit een back-up of een eerder leven van het log: het kan sindsdien zijn vrijgegeven, en VERZONDEN. Kijk met abeng sent en vraag het de ontvangers voor u het vrijgeeft.",
    logged: "Dat u het hebt gelezen staat in het auditlog (blad {leaf}).",
    ask: "Ingediend door {by}: {matter}. Vrijgeven voor {to}?",
    not_released: "Er is niets vrijgegeven; het blijft wachten.",
    needs_yes: "wat wordt vrijgegeven gaat meteen weg, en kan alleen worden herroepen",
    add_yes: "bekijk het met abeng release show ID; voeg --yes toe als het weg mag",
    denied: "{id} is afgewezen: het is gewist en er wordt niets van verzonden (blad {leaf}).",
    recalled_already: "Deze terugroepingen waren al verzonden, toen een vrijgave halverwege mislukte, en blijven staan: {recalls}.",
    status_label: "Vrijgave",
    waiting: Counted {
        one: "{count} indiening wacht op vrijgave",
        many: "{count} indieningen wachten op vrijgave",
    },
    oldest: "{count}, de oudste sinds {since}",
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_fills_the_same_places() {
        let source = include_str!("release.rs");
        for (place, at_least) in [
            ("type", 8),
            ("to", 12),
            ("why", 8),
            ("releasers", 4),
            ("by", 8),
            ("officer", 4),
            ("leaf", 8),
            ("matter", 4),
            ("count", 20),
            ("days", 4),
            ("since", 4),
        ] {
            let count = source.matches(&format!("{{{place}}}")).count();
            assert!(count >= at_least, "{place}: {count}");
        }
        let words = Lang::ALL.map(|lang| Release::of(lang).held);
        let words = words.iter().collect::<std::collections::BTreeSet<_>>();
        assert_eq!(words.len(), 4);
    }

    #[test]
    fn what_waits_is_counted_with_the_oldest() {
        let t = Release::of(Lang::En);
        assert_eq!(t.waiting(0, None), "0 submissions wait for release");
        assert_eq!(
            t.waiting(1, Some("24 November 2026")),
            "1 submission waits for release, the oldest since 24 November 2026"
        );
        let t = Release::of(Lang::Nl);
        assert_eq!(t.waiting(2, None), "2 indieningen wachten op vrijgave");
    }
}
