//! What is said of a place that cannot be read from or written to, in the four languages of the
//! network.

use abeng_notice::Lang;

/// The texts of one language about places.
#[derive(Debug)]
pub(crate) struct Places {
    /// `{file}`.
    pub(crate) exists: &'static str,
    pub(crate) force: &'static str,
    /// `{file}`.
    pub(crate) directory: &'static str,
    /// `{file}`.
    pub(crate) no_file: &'static str,
    /// `{file}`.
    pub(crate) not_read: &'static str,
    /// `{file}`.
    pub(crate) dead_link: &'static str,
    pub(crate) another: &'static str,
    /// `{file}`, `{why}`.
    pub(crate) cannot: &'static str,
    pub(crate) absent: &'static str,
    pub(crate) forbidden: &'static str,
    pub(crate) full: &'static str,
    pub(crate) read_only: &'static str,
    pub(crate) room: &'static str,
    pub(crate) stick: &'static str,
}

impl Places {
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

static EN: Places = Places {
    exists: "{file} is there already",
    force: "give another name with --out, or add --force to write over it",
    directory: "{file} is a directory: name the file",
    no_file: "{file} is a device, a pipe or a socket: nothing is ever written over such a thing",
    not_read: "{file} is a device, a pipe or a socket: only a file is read",
    dead_link: "{file} is a link that leads nowhere: nothing is written through it",
    another: "give another name with --out",
    cannot: "cannot write {file}: {why}",
    absent: "there is no such directory",
    forbidden: "you may not write there",
    full: "there is no room",
    read_only: "nothing can be written there",
    room: "give a place that you may write to, and with room, with --out",
    stick: "is the stick in, writable and not full? --limit SIZE makes a smaller file",
};

static ES: Places = Places {
    exists: "{file} ya existe",
    force: "dé otro nombre con --out, o añada --force para escribir encima",
    directory: "{file} es un directorio: nombre el archivo",
    no_file: "{file} es un dispositivo, una tubería o un socket: nunca se escribe encima de algo así",
    not_read: "{file} es un dispositivo, una tubería o un socket: solo se lee un archivo",
    dead_link: "{file} es un enlace que no lleva a nada: no se escribe a través de él",
    another: "dé otro nombre con --out",
    cannot: "no se puede escribir {file}: {why}",
    absent: "no existe ese directorio",
    forbidden: "usted no puede escribir ahí",
    full: "no queda espacio",
    read_only: "ahí no se puede escribir nada",
    room: "dé con --out un lugar donde pueda escribir y haya espacio",
    stick: "¿está puesta la memoria, se puede escribir en ella y no está llena? --limit SIZE hace un archivo más pequeño",
};

static FR: Places = Places {
    exists: "{file} existe déjà",
    force: "donnez un autre nom avec --out, ou ajoutez --force pour écrire par-dessus",
    directory: "{file} est un répertoire : nommez le fichier",
    no_file: "{file} est un périphérique, un tube ou une socket : on n'écrit jamais par-dessus",
    not_read: "{file} est un périphérique, un tube ou une socket : seul un fichier est lu",
    dead_link: "{file} est un lien qui ne mène nulle part : on n'écrit pas à travers lui",
    another: "donnez un autre nom avec --out",
    cannot: "impossible d'écrire {file} : {why}",
    absent: "ce répertoire n'existe pas",
    forbidden: "vous ne pouvez pas écrire là",
    full: "il n'y a plus de place",
    read_only: "on ne peut rien écrire là",
    room: "donnez avec --out un endroit où vous pouvez écrire et où il y a de la place",
    stick: "la clé est-elle branchée, peut-on y écrire et a-t-elle de la place ? --limit SIZE fait un fichier plus petit",
};

static NL: Places = Places {
    exists: "{file} is er al",
    force: "geef een andere naam met --out, of voeg --force toe om eroverheen te schrijven",
    directory: "{file} is een map: noem het bestand",
    no_file: "{file} is een apparaat, een pijp of een socket: daar wordt nooit overheen geschreven",
    not_read: "{file} is een apparaat, een pijp of een socket: alleen een bestand wordt gelezen",
    dead_link: "{file} is een koppeling die nergens heen leidt: er wordt niet doorheen geschreven",
    another: "geef een andere naam met --out",
    cannot: "kan {file} niet schrijven: {why}",
    absent: "die map is er niet",
    forbidden: "u mag daar niet schrijven",
    full: "er is geen ruimte",
    read_only: "daar kan niets worden geschreven",
    room: "geef met --out een plaats waar u mag schrijven en waar ruimte is",
    stick: "zit de stick erin, mag erop worden geschreven en is hij niet vol? --limit SIZE maakt een kleiner bestand",
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_fills_the_same_places() {
        for lang in Lang::ALL {
            let t = Places::of(lang);
            for text in [t.exists, t.directory, t.no_file, t.not_read, t.dead_link] {
                assert_eq!(text.matches("{file}").count(), 1, "{text}");
            }
            assert!(t.cannot.contains("{file}") && t.cannot.contains("{why}"));
            assert!(t.force.contains("--out") && t.force.contains("--force"));
            assert!(t.stick.contains("--limit") && t.room.contains("--out"));
        }
    }
}
