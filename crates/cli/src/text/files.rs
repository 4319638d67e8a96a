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
    /// Above how many files a notice has.
    pub(crate) column_files: &'static str,
    here: &'static str,
    /// `{percent}`.
    coming: &'static str,
    /// `{party}`.
    waiting: &'static str,
    on_request: &'static str,
    /// `{party}`.
    waits_budget: &'static str,
    damaged: &'static str,
    gone: &'static str,
    /// `{party}`.
    sender_damaged: &'static str,
    /// `{party}`.
    sender_gone: &'static str,
    /// `{name}`.
    pub(crate) for_own_budget: &'static str,
    /// `{name}`, `{party}`.
    pub(crate) for_budget: &'static str,
    /// `{id}`.
    pub(crate) how_to_get: &'static str,
    /// `{name}`, `{party}`.
    pub(crate) wait: &'static str,
    /// `{party}`.
    pub(crate) waiting_for: &'static str,
    /// `{name}`, `{path}`, `{size}`.
    pub(crate) written: &'static str,
    pub(crate) logged: &'static str,
    pub(crate) all: Counted,
    /// `{count}`, `{size}`.
    pub(crate) follow: Counted,
    /// `{arrived}`, `{of}`.
    pub(crate) arrived: &'static str,
    pub(crate) failures: Failures,
}

/// Why a file cannot be taken out, and what to try.
#[derive(Debug)]
pub(crate) struct Failures {
    /// `{number}`, `{name}`.
    damaged: &'static str,
    /// `{number}`, `{name}`.
    gone: &'static str,
    /// `{path}`.
    backup: &'static str,
    /// `{number}`, `{name}`, `{party}`.
    sender_damaged: &'static str,
    /// `{number}`, `{name}`, `{party}`.
    sender_gone: &'static str,
    /// `{party}`.
    ask_sender: &'static str,
    /// `{names}`.
    pub(crate) not_here: &'static str,
    pub(crate) asked_for: &'static str,
    /// `{name}`.
    pub(crate) asked_again: &'static str,
    /// `{name}`.
    pub(crate) broke_off: &'static str,
    pub(crate) see_log: &'static str,
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
            AttachmentState::Damaged => self.damaged,
            AttachmentState::Gone => self.gone,
            AttachmentState::SenderDamaged => self.sender_damaged,
            AttachmentState::SenderGone => self.sender_gone,
        }
    }
}

impl Failures {
    /// That a file cannot be had, and what to try; `None` where it is here or may come.
    pub(crate) fn of(&self, state: AttachmentState) -> Option<(&'static str, &'static str)> {
        match state {
            AttachmentState::Damaged => Some((self.damaged, self.backup)),
            AttachmentState::Gone => Some((self.gone, self.backup)),
            AttachmentState::SenderDamaged => Some((self.sender_damaged, self.ask_sender)),
            AttachmentState::SenderGone => Some((self.sender_gone, self.ask_sender)),
            AttachmentState::Here
            | AttachmentState::Coming
            | AttachmentState::Waiting
            | AttachmentState::OnRequest
            | AttachmentState::WaitsBudget => None,
        }
    }
}

/// How large a file is, in decimal units as file managers show them: `17 B`, `1.4 MB`, `41 MB`.
pub(crate) fn size(bytes: u64, lang: Lang) -> String {
    let mut units = ["B", "kB", "MB", "GB", "TB"].into_iter();
    let (mut value, mut unit) = (bytes as f64, units.next().unwrap_or_default());
    while value >= 999.5
        && let Some(next) = units.next()
    {
        (value, unit) = (value / 1000.0, next);
    }
    let digits = usize::from(unit != "B" && value < 9.95);
    let number = format!("{value:.digits$}");
    match lang {
        Lang::En => format!("{number} {unit}"),
        Lang::Es | Lang::Fr | Lang::Nl => format!("{} {unit}", number.replace('.', ",")),
    }
}

static EN: Files = Files {
    none: "The notice has no attachments.",
    column_name: "NAME",
    column_size: "SIZE",
    column_state: "STATE",
    column_files: "FILES",
    here: "here",
    coming: "coming, {percent} %",
    waiting: "comes when {party} is linked",
    on_request: "comes when it is asked for",
    waits_budget: "waits for {party}'s budget of tomorrow",
    damaged: "damaged on this disk",
    gone: "not on this disk any more",
    sender_damaged: "{party}'s copy is damaged",
    sender_gone: "{party} no longer has it",
    for_own_budget: "{name} goes on tomorrow: this node's bytes of the day are used up. Here, `abeng link allow` lets more come today.",
    for_budget: "{name} goes on tomorrow: the bytes of the day at {party} are used up. Only `abeng link allow` at the node of {party} lets more go today: ask them.",
    how_to_get: "Take them out with: abeng attachment get {id}",
    wait: "{name} is not here yet: waiting for {party}. Ctrl-C ends the wait, and it comes all the same.",
    waiting_for: "waiting for {party}",
    written: "{name} is written to {path} ({size}).",
    logged: "That you took it out is in the audit log.",
    all: Counted {
        one: "{count} attachment",
        many: "{count} attachments",
    },
    follow: Counted {
        one: "With {count} attachment ({size}), which follows the notice.",
        many: "With {count} attachments ({size}), which follow the notice.",
    },
    arrived: "{arrived} of {of} there",
    failures: Failures {
        damaged: "attachment {number} ({name}) is damaged on this disk",
        gone: "attachment {number} ({name}) was sent from here and is not on this disk any more",
        backup: "take `{path}` from a backup of the data directory, or ask a recipient for the file",
        sender_damaged: "attachment {number} ({name}) is damaged at {party}",
        sender_gone: "{party} no longer has attachment {number} ({name})",
        ask_sender: "ask {party} to take it from a backup, or to send it anew; it was asked for again just now, and is once an hour",
        not_here: "not here yet: {names}",
        asked_for: "asked for now: run the same command again later, or without --no-wait; a NUMBER takes one that is here",
        asked_again: "the copy of {name} on this disk is damaged; another is asked for",
        broke_off: "{name} broke off: the node could not give all of it",
        see_log: "run the command again; the node's own log says why",
    },
};

static ES: Files = Files {
    none: "El aviso no tiene anexos.",
    column_name: "NOMBRE",
    column_size: "TAMAÑO",
    column_state: "ESTADO",
    column_files: "ANEXOS",
    here: "aquí",
    coming: "llegando, {percent} %",
    waiting: "llega cuando haya enlace con {party}",
    on_request: "llega cuando se pide",
    waits_budget: "espera la cuota de {party} de mañana",
    damaged: "dañado en este disco",
    gone: "ya no está en este disco",
    sender_damaged: "la copia de {party} está dañada",
    sender_gone: "{party} ya no lo tiene",
    for_own_budget: "{name} sigue mañana: los bytes del día de este nodo están agotados. Aquí, `abeng link allow` deja llegar más hoy.",
    for_budget: "{name} sigue mañana: los bytes del día en {party} están agotados. Solo `abeng link allow` en el nodo de {party} deja salir más hoy: pídaselo.",
    how_to_get: "Sáquelos con: abeng attachment get {id}",
    wait: "{name} aún no está aquí: se espera a {party}. Ctrl-C termina la espera, y llega de todos modos.",
    waiting_for: "se espera a {party}",
    written: "{name} está escrito en {path} ({size}).",
    logged: "Que usted lo sacó consta en el registro de auditoría.",
    all: Counted {
        one: "{count} anexo",
        many: "{count} anexos",
    },
    follow: Counted {
        one: "Con {count} anexo ({size}), que sigue al aviso.",
        many: "Con {count} anexos ({size}), que siguen al aviso.",
    },
    arrived: "{arrived} de {of} allí",
    failures: Failures {
        damaged: "el anexo {number} ({name}) está dañado en este disco",
        gone: "el anexo {number} ({name}) se envió desde aquí y ya no está en este disco",
        backup: "tome `{path}` de una copia de seguridad del directorio de datos, o pida el archivo a un destinatario",
        sender_damaged: "el anexo {number} ({name}) está dañado en {party}",
        sender_gone: "{party} ya no tiene el anexo {number} ({name})",
        ask_sender: "pida a {party} que lo tome de una copia de seguridad o lo envíe de nuevo; se acaba de pedir otra vez, y se pide cada hora",
        not_here: "aún no está aquí: {names}",
        asked_for: "se ha pedido ahora: repita la misma orden más tarde, o sin --no-wait; con NUMBER se saca uno que ya esté aquí",
        asked_again: "la copia de {name} en este disco está dañada; se pide otra",
        broke_off: "{name} se interrumpió: el nodo no pudo entregarlo entero",
        see_log: "repita la orden; el registro del nodo dice por qué",
    },
};

static FR: Files = Files {
    none: "L'avis n'a pas de pièce jointe.",
    column_name: "NOM",
    column_size: "TAILLE",
    column_state: "ÉTAT",
    column_files: "PIÈCES",
    here: "ici",
    coming: "en cours, {percent} %",
    waiting: "arrive dès que {party} est relié",
    on_request: "arrive quand on la demande",
    waits_budget: "attend le quota de {party} de demain",
    damaged: "abîmée sur ce disque",
    gone: "n'est plus sur ce disque",
    sender_damaged: "la copie de {party} est abîmée",
    sender_gone: "{party} ne l'a plus",
    for_own_budget: "{name} continue demain : les octets du jour de ce nœud sont épuisés. Ici, `abeng link allow` en laisse venir plus aujourd'hui.",
    for_budget: "{name} continue demain : les octets du jour chez {party} sont épuisés. Seul `abeng link allow` sur le nœud de {party} en laisse partir plus aujourd'hui : demandez-le-leur.",
    how_to_get: "Pour les sortir : abeng attachment get {id}",
    wait: "{name} n'est pas encore ici : on attend {party}. Ctrl-C met fin à l'attente, la pièce arrive quand même.",
    waiting_for: "on attend {party}",
    written: "{name} est écrit dans {path} ({size}).",
    logged: "Le journal d'audit dit que vous l'avez sorti.",
    all: Counted {
        one: "{count} pièce jointe",
        many: "{count} pièces jointes",
    },
    follow: Counted {
        one: "Avec {count} pièce jointe ({size}), qui suit l'avis.",
        many: "Avec {count} pièces jointes ({size}), qui suivent l'avis.",
    },
    arrived: "arrivé : {arrived} sur {of}",
    failures: Failures {
        damaged: "la pièce jointe {number} ({name}) est abîmée sur ce disque",
        gone: "la pièce jointe {number} ({name}) a été envoyée d'ici et n'est plus sur ce disque",
        backup: "reprenez `{path}` d'une sauvegarde du répertoire de données, ou demandez le fichier à un destinataire",
        sender_damaged: "la pièce jointe {number} ({name}) est abîmée chez {party}",
        sender_gone: "{party} n'a plus la pièce jointe {number} ({name})",
        ask_sender: "demandez à {party} de la reprendre d'une sauvegarde ou de la renvoyer ; elle vient d'être redemandée, et l'est toutes les heures",
        not_here: "pas encore ici : {names}",
        asked_for: "demandé à l'instant : relancez la même commande plus tard, ou sans --no-wait ; un NUMBER sort une pièce déjà ici",
        asked_again: "la copie de {name} sur ce disque est abîmée ; une autre est demandée",
        broke_off: "{name} s'est interrompu : le nœud n'a pas pu tout donner",
        see_log: "relancez la commande ; le journal du nœud dit pourquoi",
    },
};

static NL: Files = Files {
    none: "Het bericht heeft geen bijlagen.",
    column_name: "NAAM",
    column_size: "GROOTTE",
    column_state: "STAND",
    column_files: "BIJL.",
    here: "hier",
    coming: "komt binnen, {percent} %",
    waiting: "komt zodra {party} verbonden is",
    on_request: "komt als erom wordt gevraagd",
    waits_budget: "wacht op het budget van {party} van morgen",
    damaged: "beschadigd op deze schijf",
    gone: "staat niet meer op deze schijf",
    sender_damaged: "de kopie van {party} is beschadigd",
    sender_gone: "{party} heeft hem niet meer",
    for_own_budget: "{name} gaat morgen verder: de bytes van vandaag van dit knooppunt zijn op. Hier laat `abeng link allow` er vandaag meer komen.",
    for_budget: "{name} gaat morgen verder: de bytes van vandaag zijn bij {party} op. Alleen `abeng link allow` op het knooppunt van {party} laat er vandaag meer gaan: vraag het daar.",
    how_to_get: "Haal ze op met: abeng attachment get {id}",
    wait: "{name} is nog niet hier: er wordt gewacht op {party}. Ctrl-C stopt het wachten, de bijlage komt toch.",
    waiting_for: "wacht op {party}",
    written: "{name} is geschreven naar {path} ({size}).",
    logged: "Dat u het hebt opgehaald staat in het auditlog.",
    all: Counted {
        one: "{count} bijlage",
        many: "{count} bijlagen",
    },
    follow: Counted {
        one: "Met {count} bijlage ({size}), die na het bericht komt.",
        many: "Met {count} bijlagen ({size}), die na het bericht komen.",
    },
    arrived: "{arrived} van {of} aangekomen",
    failures: Failures {
        damaged: "bijlage {number} ({name}) is beschadigd op deze schijf",
        gone: "bijlage {number} ({name}) is van hier verzonden en staat niet meer op deze schijf",
        backup: "haal `{path}` uit een back-up van de datamap, of vraag een ontvanger om het bestand",
        sender_damaged: "bijlage {number} ({name}) is beschadigd bij {party}",
        sender_gone: "{party} heeft bijlage {number} ({name}) niet meer",
        ask_sender: "vraag {party} de bijlage uit een back-up te halen of opnieuw te sturen; er is zojuist opnieuw om gevraagd, en dat gebeurt elk uur",
        not_here: "nog niet hier: {names}",
        asked_for: "er is nu om gevraagd: geef dezelfde opdracht later nog eens, of zonder --no-wait; een NUMBER haalt er een op die hier is",
        asked_again: "de kopie van {name} op deze schijf is beschadigd; er wordt een andere gevraagd",
        broke_off: "{name} brak af: het knooppunt kon niet alles geven",
        see_log: "geef de opdracht nog eens; het log van het knooppunt zegt waarom",
    },
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_fills_the_same_places() {
        let source = include_str!("files.rs");
        for place in [
            "percent", "party", "id", "name", "names", "number", "path", "size", "arrived", "of",
            "count",
        ] {
            let count = |lang: &str| {
                let begin = source.find(&format!("static {lang}:")).unwrap();
                let text = &source[begin..];
                let end = text.find("\n};").unwrap();
                text[..end].matches(&format!("{{{place}}}")).count()
            };
            let counts = ["EN", "ES", "FR", "NL"].map(count);
            assert!(
                counts.iter().all(|n| *n > 0 && *n == counts[0]),
                "{place}: {counts:?}"
            );
        }
        let states = Lang::ALL.map(|lang| Files::of(lang).state(AttachmentState::Here));
        assert_eq!(states, ["here", "aquí", "ici", "hier"]);
    }

    #[test]
    fn sizes_have_the_comma_of_the_language() {
        let en = |bytes| size(bytes, Lang::En);
        assert_eq!(en(0), "0 B");
        assert_eq!(en(999), "999 B");
        assert_eq!(en(1_000), "1.0 kB");
        assert_eq!(en(999_600), "1.0 MB");
        assert_eq!(en(41_943_040), "42 MB");
        assert_eq!(en(9_960_000), "10 MB");
        assert_eq!(en(2 << 30), "2.1 GB");
        assert_eq!(size(1_449_000, Lang::Nl), "1,4 MB");
    }
}
