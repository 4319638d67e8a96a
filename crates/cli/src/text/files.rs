//! What officers read about attachments, in the four languages of the network.

use super::Counted;
use abeng_api::AttachmentState;
use abeng_notice::Lang;

/// The texts of one language about attachments.
#[derive(Debug)]
pub(crate) struct Files {
    pub(crate) none: &'static str,
    pub(crate) column_name: &'static str,
    pub(crate) column_size: &'static str,
    pub(crate) column_state: &'static str,
    here: &'static str,
    /// `{percent}`.
    coming: &'static str,
    waiting: &'static str,
    on_request: &'static str,
    /// `{party}`.
    waits_budget: &'static str,
    /// `{name}`, `{party}`.
    pub(crate) for_budget: &'static str,
    /// `{id}`.
    pub(crate) how_to_get: &'static str,
    /// `{name}`.
    pub(crate) wait: &'static str,
    /// `{name}`, `{path}`, `{size}`.
    pub(crate) written: &'static str,
    pub(crate) logged: &'static str,
    pub(crate) all: Counted,
    /// `{arrived}`, `{of}`.
    pub(crate) arrived: &'static str,
}

impl Files {
    /// The texts of a language.
    pub(crate) fn of(lang: Lang) -> &'static Self {
        match lang {
            Lang::En => &EN,
            Lang::Es => &ES,
            Lang::Fr => &FR,
            Lang::Nl => &NL,
        }
    }

    /// Where a file is, in words; `{percent}` and `{party}` are to be filled.
    pub(crate) fn state(&self, state: AttachmentState) -> &'static str {
        match state {
            AttachmentState::Here => self.here,
            AttachmentState::Coming => self.coming,
            AttachmentState::Waiting => self.waiting,
            AttachmentState::OnRequest => self.on_request,
            AttachmentState::WaitsBudget => self.waits_budget,
        }
    }
}

static EN: Files = Files {
    none: "The notice has no attachments.",
    column_name: "NAME",
    column_size: "SIZE",
    column_state: "STATE",
    here: "here",
    coming: "coming, {percent} %",
    waiting: "comes when the link is up",
    on_request: "comes when it is asked for",
    waits_budget: "waits for {party}'s budget of tomorrow",
    for_budget: "{name} goes on tomorrow: the day's bytes at {party} are used up. There, `abeng link allow` lets more go today.",
    how_to_get: "Take them out with: abeng attachment get {id}",
    wait: "{name} is not here yet. Waiting; Ctrl-C ends the wait, and it comes all the same.",
    written: "{name} is written to {path} ({size}).",
    logged: "That you took it out is in the audit log.",
    all: Counted {
        one: "{count} attachment",
        many: "{count} attachments",
    },
    arrived: "{arrived} of {of} there",
};

static ES: Files = Files {
    none: "El aviso no tiene anexos.",
    column_name: "NOMBRE",
    column_size: "TAMAÑO",
    column_state: "ESTADO",
    here: "aquí",
    coming: "llegando, {percent} %",
    waiting: "llega cuando haya enlace",
    on_request: "llega cuando se pide",
    waits_budget: "espera la cuota de {party} de mañana",
    for_budget: "{name} sigue mañana: los bytes del día en {party} están agotados. Allí, `abeng link allow` permite más hoy.",
    how_to_get: "Sáquelos con: abeng attachment get {id}",
    wait: "{name} aún no está aquí. Se espera; Ctrl-C termina la espera, y llega de todos modos.",
    written: "{name} está escrito en {path} ({size}).",
    logged: "Que usted lo sacó consta en el registro de auditoría.",
    all: Counted {
        one: "{count} anexo",
        many: "{count} anexos",
    },
    arrived: "{arrived} de {of} allí",
};

static FR: Files = Files {
    none: "L'avis n'a pas de pièce jointe.",
    column_name: "NOM",
    column_size: "TAILLE",
    column_state: "ÉTAT",
    here: "ici",
    coming: "en cours, {percent} %",
    waiting: "arrive dès que la liaison est là",
    on_request: "arrive quand on la demande",
    waits_budget: "attend le quota de {party} de demain",
    for_budget: "{name} continue demain : les octets du jour chez {party} sont épuisés. Là-bas, `abeng link allow` en permet plus aujourd'hui.",
    how_to_get: "Pour les sortir : abeng attachment get {id}",
    wait: "{name} n'est pas encore ici. On attend ; Ctrl-C met fin à l'attente, la pièce arrive quand même.",
    written: "{name} est écrit dans {path} ({size}).",
    logged: "Le journal d'audit dit que vous l'avez sorti.",
    all: Counted {
        one: "{count} pièce jointe",
        many: "{count} pièces jointes",
    },
    arrived: "arrivé : {arrived} sur {of}",
};

static NL: Files = Files {
    none: "De melding heeft geen bijlagen.",
    column_name: "NAAM",
    column_size: "GROOTTE",
    column_state: "STAND",
    here: "hier",
    coming: "komt binnen, {percent} %",
    waiting: "komt zodra de verbinding er is",
    on_request: "komt als erom wordt gevraagd",
    waits_budget: "wacht op het budget van {party} van morgen",
    for_budget: "{name} gaat morgen verder: de bytes van vandaag zijn bij {party} op. Daar staat `abeng link allow` vandaag meer toe.",
    how_to_get: "Haal ze op met: abeng attachment get {id}",
    wait: "{name} is nog niet hier. Er wordt gewacht; Ctrl-C stopt het wachten, de bijlage komt toch.",
    written: "{name} is geschreven naar {path} ({size}).",
    logged: "Dat u het hebt opgehaald staat in het auditlog.",
    all: Counted {
        one: "{count} bijlage",
        many: "{count} bijlagen",
    },
    arrived: "{arrived} van {of} aangekomen",
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_fills_the_same_places() {
        let source = include_str!("files.rs");
        for place in [
            "percent", "party", "id", "name", "path", "size", "arrived", "of", "count",
        ] {
            let count = source.matches(&format!("{{{place}}}")).count();
            assert!(count >= 4, "{place}: {count}");
        }
        let states = Lang::ALL.map(|lang| Files::of(lang).state(AttachmentState::Here));
        assert_eq!(states, ["here", "aquí", "ici", "hier"]);
    }
}
