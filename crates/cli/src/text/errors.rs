//! How commands of officers fail, in the four languages of the network; what fails at the node is in
//! `causes`.

use abeng_notice::Lang;

/// The texts of one language about failures. Those without a comment have no places to fill.
#[derive(Debug)]
pub(crate) struct Errors {
    pub(crate) error: &'static str,
    pub(crate) hint: &'static str,
    pub(crate) nothing_said: &'static str,
    pub(crate) say_it: &'static str,
    pub(crate) nobody_named: &'static str,
    pub(crate) name_them: &'static str,
    /// `{given}`.
    pub(crate) quantity: &'static str,
    pub(crate) quantity_form: &'static str,
    /// `{file}`, `{size}`.
    pub(crate) too_large: &'static str,
    pub(crate) shorten: &'static str,
    /// `{file}`, `{at}`.
    pub(crate) not_utf8: &'static str,
    pub(crate) save_utf8: &'static str,
    /// `{key}`.
    pub(crate) write_key: &'static str,
    pub(crate) correct_line: &'static str,
    /// `{count}`, `{limit}`.
    pub(crate) many_files: &'static str,
    pub(crate) zip: &'static str,
    /// `{name}`.
    pub(crate) two_files: &'static str,
    pub(crate) rename_one: &'static str,
    /// `{file}`, `{why}`.
    pub(crate) cannot_attach: &'static str,
    pub(crate) not_a_file: &'static str,
    pub(crate) empty: &'static str,
    pub(crate) too_long: &'static str,
    pub(crate) bad_name: &'static str,
    pub(crate) choose_another: &'static str,
    pub(crate) rename: &'static str,
    pub(crate) changing: &'static str,
    pub(crate) for_good: &'static str,
    pub(crate) say_yes: &'static str,
    /// `{file}`.
    pub(crate) not_directory: &'static str,
    pub(crate) make_directory: &'static str,
    /// `{id}`.
    pub(crate) no_attachments: &'static str,
    /// `{id}`, `{number}`.
    pub(crate) no_attachment: &'static str,
    /// `{count}`, `{id}`.
    pub(crate) has_so_many: &'static str,
    /// `{name}`.
    pub(crate) no_file_name: &'static str,
    pub(crate) own_name: &'static str,
    /// `{why}`.
    pub(crate) terminal: &'static str,
    pub(crate) use_options: &'static str,
    /// `{why}`.
    pub(crate) not_whole: &'static str,
    pub(crate) once_more: &'static str,
}

impl Errors {
    /// The texts of a language.
    pub(crate) fn of(lang: Lang) -> &'static Self {
        match lang {
            Lang::En => &EN,
            Lang::Es => &ES,
            Lang::Fr => &FR,
            Lang::Nl => &NL,
        }
    }
}

static EN: Errors = Errors {
    error: "error:",
    hint: "try:",
    nothing_said: "it is not said what was seized",
    say_it: "give the short form (--when, --place …; see abeng submit seizure --help), or -f FILE with a notice in TOML or JSON",
    nobody_named: "it is not said for whom the notice is",
    name_them: "add --to TT,BB, or `to = [\"TT\", \"BB\"]` to the file",
    quantity: "--quantity is {given}; it must be above 0",
    quantity_form: "write a number such as 139.4, or unknown",
    too_large: "{file} is larger than {size}",
    shorten: "shorten its texts: a notice has at most 1 MiB",
    not_utf8: "{file} is not UTF-8 text: byte {at} does not belong there",
    save_utf8: "save the file as UTF-8",
    write_key: "write `{key}`",
    correct_line: "correct the line; config/samples/seizures.toml shows the form",
    many_files: "{count} files are attached; a notice can have {limit}",
    zip: "put some of them into one .zip file",
    two_files: "two files are called {name}",
    rename_one: "rename one of them",
    cannot_attach: "cannot attach {file}: {why}",
    not_a_file: "it is not a file",
    empty: "it is empty",
    too_long: "it is longer than 2 GiB",
    bad_name: "no recipient could have a file called so",
    choose_another: "choose another file",
    rename: "rename it: no \\ : * ? \" < > |, no dot or hyphen at its beginning",
    changing: "check that nobody is changing the file, and submit again",
    for_good: "a recall deletes the content at every recipient, for good",
    say_yes: "add --yes if that is meant, or --dry-run to see what it would do",
    not_directory: "{file} is not a directory",
    make_directory: "make it first, or name one attachment by its number",
    no_attachments: "notice {id} has no attachments",
    no_attachment: "notice {id} has no attachment {number}",
    has_so_many: "it has {count}: see abeng attachment list {id}",
    no_file_name: "{name} is no name of a file",
    own_name: "give a name of your own with --out FILE",
    terminal: "the terminal does not answer: {why}",
    use_options: "use the options; see abeng submit seizure --help",
    not_whole: "the node's courier file is not whole: {why}",
    once_more: "run the same command again; the log of the node may say more",
};

static ES: Errors = Errors {
    error: "error:",
    hint: "pruebe:",
    nothing_said: "no se dice qué se incautó",
    say_it: "dé la forma breve (--when, --place …; vea abeng submit seizure --help), o -f ARCHIVO con un aviso en TOML o JSON",
    nobody_named: "no se dice para quién es el aviso",
    name_them: "añada --to TT,BB, o bien `to = [\"TT\", \"BB\"]` en el archivo",
    quantity: "--quantity es {given}; debe ser mayor que 0",
    quantity_form: "escriba un número como 139.4, o unknown",
    too_large: "{file} es mayor de {size}",
    shorten: "acorte sus textos: un aviso tiene como mucho 1 MiB",
    not_utf8: "{file} no es texto UTF-8: el byte {at} no es de ahí",
    save_utf8: "guarde el archivo como UTF-8",
    write_key: "escriba `{key}`",
    correct_line: "corrija la línea; config/samples/seizures.toml muestra la forma",
    many_files: "se adjuntan {count} archivos; un aviso puede tener {limit}",
    zip: "ponga algunos en un solo archivo .zip",
    two_files: "dos archivos se llaman {name}",
    rename_one: "cambie el nombre de uno de ellos",
    cannot_attach: "no se puede adjuntar {file}: {why}",
    not_a_file: "no es un archivo",
    empty: "está vacío",
    too_long: "pasa de 2 GiB",
    bad_name: "ningún destinatario podría tener un archivo con ese nombre",
    choose_another: "elija otro archivo",
    rename: "cámbiele el nombre: sin \\ : * ? \" < > |, sin punto ni guion al principio",
    changing: "compruebe que nadie está cambiando el archivo, y envíe otra vez",
    for_good: "una retirada borra el contenido en cada destinatario, para siempre",
    say_yes: "añada --yes si es lo que quiere, o --dry-run para ver qué haría",
    not_directory: "{file} no es un directorio",
    make_directory: "créelo antes, o nombre un anexo por su número",
    no_attachments: "el aviso {id} no tiene anexos",
    no_attachment: "el aviso {id} no tiene anexo {number}",
    has_so_many: "tiene {count}: vea abeng attachment list {id}",
    no_file_name: "{name} no es nombre de archivo",
    own_name: "dé un nombre propio con --out ARCHIVO",
    terminal: "el terminal no responde: {why}",
    use_options: "use las opciones; vea abeng submit seizure --help",
    not_whole: "el archivo de mensajería del nodo no está entero: {why}",
    once_more: "repita la misma orden; el registro de actividad del nodo puede decir más",
};

static FR: Errors = Errors {
    error: "erreur :",
    hint: "essayez :",
    nothing_said: "il n'est pas dit ce qui a été saisi",
    say_it: "donnez la forme brève (--when, --place … ; voir abeng submit seizure --help), ou -f FICHIER avec un avis en TOML ou JSON",
    nobody_named: "il n'est pas dit pour qui est l'avis",
    name_them: "ajoutez --to TT,BB, ou `to = [\"TT\", \"BB\"]` dans le fichier",
    quantity: "--quantity est {given} ; il faut plus que 0",
    quantity_form: "écrivez un nombre comme 139.4, ou unknown",
    too_large: "{file} dépasse {size}",
    shorten: "raccourcissez ses textes : un avis a au plus 1 MiB",
    not_utf8: "{file} n'est pas du texte UTF-8 : l'octet {at} n'y a pas sa place",
    save_utf8: "enregistrez le fichier en UTF-8",
    write_key: "écrivez `{key}`",
    correct_line: "corrigez la ligne ; config/samples/seizures.toml montre la forme",
    many_files: "{count} fichiers sont joints ; un avis peut en avoir {limit}",
    zip: "mettez-en plusieurs dans un fichier .zip",
    two_files: "deux fichiers s'appellent {name}",
    rename_one: "renommez l'un d'eux",
    cannot_attach: "impossible de joindre {file} : {why}",
    not_a_file: "ce n'est pas un fichier",
    empty: "il est vide",
    too_long: "il dépasse 2 GiB",
    bad_name: "aucun destinataire ne pourrait avoir un fichier de ce nom",
    choose_another: "choisissez un autre fichier",
    rename: "renommez-le : sans \\ : * ? \" < > |, sans point ni trait d'union au début",
    changing: "vérifiez que personne ne modifie le fichier, et renvoyez",
    for_good: "un rappel efface le contenu chez chaque destinataire, pour de bon",
    say_yes: "ajoutez --yes si c'est voulu, ou --dry-run pour voir ce que cela ferait",
    not_directory: "{file} n'est pas un répertoire",
    make_directory: "créez-le d'abord, ou nommez une pièce jointe par son numéro",
    no_attachments: "l'avis {id} n'a pas de pièce jointe",
    no_attachment: "l'avis {id} n'a pas de pièce jointe {number}",
    has_so_many: "il en a {count} : voir abeng attachment list {id}",
    no_file_name: "{name} n'est pas un nom de fichier",
    own_name: "donnez un nom à vous avec --out FICHIER",
    terminal: "le terminal ne répond pas : {why}",
    use_options: "utilisez les options ; voir abeng submit seizure --help",
    not_whole: "le fichier de courrier du nœud n'est pas entier : {why}",
    once_more: "relancez la même commande ; le journal technique du nœud peut en dire plus",
};

static NL: Errors = Errors {
    error: "fout:",
    hint: "probeer:",
    nothing_said: "er is niet gezegd wat in beslag is genomen",
    say_it: "geef de korte vorm (--when, --place …; zie abeng submit seizure --help), of -f BESTAND met een melding in TOML of JSON",
    nobody_named: "er is niet gezegd voor wie de melding is",
    name_them: "voeg --to TT,BB toe, of `to = [\"TT\", \"BB\"]` in het bestand",
    quantity: "--quantity is {given}; het moet boven 0 zijn",
    quantity_form: "schrijf een getal zoals 139.4, of unknown",
    too_large: "{file} is groter dan {size}",
    shorten: "kort de teksten in: een melding heeft ten hoogste 1 MiB",
    not_utf8: "{file} is geen UTF-8-tekst: byte {at} hoort daar niet",
    save_utf8: "sla het bestand op als UTF-8",
    write_key: "schrijf `{key}`",
    correct_line: "verbeter de regel; config/samples/seizures.toml toont de vorm",
    many_files: "er zijn {count} bestanden bijgevoegd; een melding kan er {limit} hebben",
    zip: "doe er enkele in één .zip-bestand",
    two_files: "twee bestanden heten {name}",
    rename_one: "hernoem een van beide",
    cannot_attach: "kan {file} niet bijvoegen: {why}",
    not_a_file: "het is geen bestand",
    empty: "het is leeg",
    too_long: "het is langer dan 2 GiB",
    bad_name: "geen ontvanger zou een bestand met die naam kunnen hebben",
    choose_another: "kies een ander bestand",
    rename: "hernoem het: geen \\ : * ? \" < > |, geen punt of streepje vooraan",
    changing: "controleer of niemand het bestand verandert, en verzend opnieuw",
    for_good: "een terugroeping wist de inhoud bij elke ontvanger, voorgoed",
    say_yes: "voeg --yes toe als dat de bedoeling is, of --dry-run om te zien wat het zou doen",
    not_directory: "{file} is geen map",
    make_directory: "maak die eerst, of noem één bijlage met haar nummer",
    no_attachments: "melding {id} heeft geen bijlagen",
    no_attachment: "melding {id} heeft geen bijlage {number}",
    has_so_many: "zij heeft er {count}: zie abeng attachment list {id}",
    no_file_name: "{name} is geen naam van een bestand",
    own_name: "geef een eigen naam met --out BESTAND",
    terminal: "de terminal antwoordt niet: {why}",
    use_options: "gebruik de opties; zie abeng submit seizure --help",
    not_whole: "het koeriersbestand van het knooppunt is niet heel: {why}",
    once_more: "geef dezelfde opdracht opnieuw; de logboeken van het knooppunt kunnen meer zeggen",
};

#[cfg(test)]
mod tests {
    #[test]
    fn every_language_has_its_own_words_and_the_same_places() {
        let source = include_str!("errors.rs");
        let statics: Vec<Vec<(&str, &str)>> = source
            .split("\nstatic ")
            .skip(1)
            .map(|part| {
                let part = part.split("\n};").next().unwrap_or_default();
                let lines = part.lines().skip(1);
                lines
                    .filter_map(|line| line.trim().split_once(": "))
                    .collect()
            })
            .collect();
        assert_eq!(statics.len(), 4);
        let places = |text: &str| {
            let parts = text.split('{').skip(1).filter_map(|p| p.split_once('}'));
            let mut places: Vec<String> = parts.map(|p| p.0.to_owned()).collect();
            places.sort();
            places
        };
        for other in &statics[1..] {
            assert_eq!(other.len(), statics[0].len());
            for (en, other) in statics[0].iter().zip(other) {
                assert_eq!(en.0, other.0);
                assert_eq!(places(en.1), places(other.1), "{}", other.1);
                assert!(
                    en.1 != other.1 || en.0 == "error",
                    "{} is not translated",
                    en.0
                );
            }
        }
    }
}
