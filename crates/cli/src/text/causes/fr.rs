use super::Words;
use abeng_api::Cause as C;

pub(super) fn words(cause: C) -> Words {
    match cause {
        C::NotAnId => (
            "`{given}` n'est pas l'identifiant d'un avis",
            "donnez ses 64 chiffres hexadécimaux, ou les 8 premiers ou plus ; `abeng sent list` et `abeng inbox list` les montrent",
        ),
        C::UnknownId => (
            "aucun avis ici n'a un identifiant qui commence par {digits}",
            "`abeng sent list` et `abeng inbox list` montrent les identifiants",
        ),
        C::AmbiguousId => (
            "plus d'un avis a un identifiant qui commence par {digits}",
            "donnez plus de chiffres",
        ),
        C::NotInInbox => (
            "{id} n'est pas dans la boîte de réception",
            "`abeng track` montre ce qui a été envoyé d'ici ; `abeng inbox list`, ce qui est arrivé",
        ),
        C::NotSentHere => (
            "{id} n'a pas été envoyé d'ici",
            "`abeng inbox show` montre ce qui est venu des autres",
        ),
        C::Deleted => (
            "le contenu a été effacé ; restent qui l'a envoyé, quand, et tous les reçus",
            "`abeng audit show --notice ID` montre chaque feuille à son sujet",
        ),
        C::DeletedOn => (
            "le contenu a été effacé le {day} ; restent qui l'a envoyé, quand, et tous les reçus",
            "`abeng audit show --notice ID` montre chaque feuille à son sujet",
        ),
        C::DeletedRecalled => (
            "le contenu a été effacé le {day} parce que son auteur l'a retiré ; restent qui l'a envoyé, quand, et tous les reçus",
            "`abeng audit show --notice ID` montre chaque feuille à son sujet",
        ),
        C::DeletedKept => (
            "le contenu a été effacé le {day} parce que sa durée de conservation était écoulée ; restent qui l'a envoyé, quand, et tous les reçus",
            "`abeng audit show --notice ID` montre chaque feuille à son sujet",
        ),
        C::TakenBack => (
            "son auteur l'a retiré : le contenu n'est plus montré et sera effacé dans l'heure",
            "",
        ),
        C::NoContent => (
            "{id} n'a pas de contenu ici",
            "`abeng inbox list` montre ce qui a été remis ; `abeng sent list`, ce qui a été envoyé",
        ),
        C::RefusedHere => ("{id} a été refusé ici : il n'y a pas de contenu", ""),
        C::Stopping => (
            "le nœud est en train de s'arrêter",
            "relancez la même commande dans {seconds} s",
        ),
        C::Overloaded => (
            "le nœud a plus à faire qu'il ne peut prendre",
            "relancez la même commande dans {seconds} s",
        ),
        C::NobodyKnows => (
            "le nœud s'est terminé avant de pouvoir dire si l'avis était accepté",
            "démarrez-le, et regardez avec `abeng sent list` avant de le renvoyer",
        ),
        C::PastOlder => (
            "ce nœud n'envoie rien : ailleurs on connaît {theirs} feuilles de ce journal, et il y en a {ours} ici ; c'est une copie ancienne des données",
            PAST,
        ),
        C::PastTwice => (
            "ce nœud n'envoie rien : ailleurs les {size} premières feuilles de ce journal sont autres qu'ici ; il a été démarré deux fois",
            PAST,
        ),
        C::PastNewer => (
            "ce nœud n'envoie rien : ailleurs une vie plus récente de ce journal a commencé, {life}",
            PAST,
        ),
        C::PastUnknown => (
            "ce nœud n'envoie rien : l'enveloppe {id} a été envoyée dans cette vie du journal, qui ne la connaît pas",
            PAST,
        ),
        C::PastBefore => (
            "ce nœud n'envoie rien : il a déjà été prouvé que ce journal continue un passé qui n'est pas le plus récent",
            PAST,
        ),
        C::NoRoomQuota => (
            "pas accepté : le répertoire de données occupe {used_bytes} sur les {disk_bytes} permis ; il doit en rester {needed_bytes} avant que du nouveau soit accepté, et il en reste {left_bytes} : il manque {short_bytes} ou plus",
            "augmentez `disk` ou réduisez `reserve` sous [quota] dans node.toml, ou effacez ce qu'il n'est pas nécessaire de garder (`abeng retention`)",
        ),
        C::NoRoomDisk => (
            "pas accepté : il faut {needed_bytes} libres sur le disque avant que du nouveau soit accepté, et il y en a {free_bytes} : libérez {short_bytes} ou plus",
            "libérez de la place sur le disque du répertoire de données, ou mettez-le sur un plus grand ; rien n'est perdu, et ce qui est en file continue",
        ),
        C::KeyUnusable => (
            "ce nœud n’envoie rien : selon le registre des membres et l’horloge, les autres n’accepteraient pas sa clé de signature",
            "vérifiez l’horloge de la machine (`date -u`) ; si elle est juste, l’administration a besoin de nouvelles clés : prévenez votre administrateur",
        ),
        C::RosterChanged => (
            "le registre des membres a changé pendant le scellement de l'avis, et ne le permet plus",
            "regardez les destinataires avec `abeng status` et renvoyez-le",
        ),
        C::NoPrecedence => (
            "`{given}` n'est pas une priorité",
            "utilisez FLASH, IMMEDIATE, PRIORITY ou ROUTINE",
        ),
        C::BadLife => (
            "la durée de remise est de {hours} heures ; elle doit être de 1 à 2160 (90 jours)",
            "",
        ),
        C::RecallSubmitted => (
            "un rappel va exactement à ceux qui ont l'avis",
            "`abeng recall ID --reason CODE` le fait",
        ),
        C::Flawed => (
            "l'avis contient des erreurs et n'a pas été envoyé",
            "corrigez chaque champ nommé ; ce qui est marqué comme doute peut rester",
        ),
        C::DraftUnreadable => (
            "l'avis ne peut pas être lu",
            "`abeng submit seizure --dry-run -f FICHIER` montre où ; docs/notices.md énumère chaque champ",
        ),
        C::SignerFails => (
            "l'avis n'a pas été envoyé : la clé de signature ne peut pas servir en ce moment",
            "demandez à l'administrateur de regarder le jeton qui porte la clé de signature (`abeng status` dit ce qu'il a), puis envoyez de nouveau",
        ),
        C::SealingFailed => (
            "le scellement a échoué et rien n'a été envoyé",
            "demandez à l'administrateur de regarder le journal technique du nœud",
        ),
        C::ReleaseId => (
            "ce qui est retenu se désigne par 8 à 32 chiffres hexadécimaux de son identifiant",
            "`abeng release list` montre les identifiants",
        ),
        C::ReleaseAmbiguous => (
            "plus d'un envoi retenu a un identifiant qui commence ainsi",
            "donnez plus de chiffres",
        ),
        C::ReleaseNone => (
            "aucun envoi avec cet identifiant n'attend ici : il a été autorisé ou refusé, ou n'a jamais attendu",
            "`abeng release list` montre ce qui attend ; `abeng audit show --kind ADMIN`, ce qui a été décidé",
        ),
        C::ReleaseTaken => (
            "quelqu'un d'autre décide à son sujet en ce moment",
            "regardez de nouveau dans un instant avec `abeng release list` ; si cela dure, redémarrez le nœud",
        ),
        C::ReleaseDamaged => (
            "l'envoi retenu {id} ne peut pas être ouvert : son fichier a été altéré ou est endommagé",
            "il n'est pas envoyé ; refusez-le et faites-le soumettre de nouveau",
        ),
        C::ReleaseDisk => (
            "les envois retenus ne peuvent pas être lus ou écrits",
            "vérifiez le disque du répertoire de données ; le journal technique du nœud en dit plus",
        ),
        C::ReleaseOwn => (
            "qui a soumis un avis ne peut pas l'autoriser : le nœud connaît les personnes à leur identifiant d'utilisateur, et les deux ont le même",
            "une autre personne qui peut autoriser doit le faire, sous son propre utilisateur ; vous pouvez le retirer avec `abeng release deny`",
        ),
        C::NotReleaser => (
            "{who} ne peut pas autoriser ce que d'autres ont soumis",
            "peuvent le faire {releasers}, par la socket Unix et chacun sous son propre utilisateur ; qui l'a soumis peut le retirer avec `abeng release deny`",
        ),
        C::NoReleasers => (
            "{who} ne peut pas autoriser ce que d'autres ont soumis, ni personne d'autre",
            "node.toml ne nomme personne qui le puisse : `releasers` dans [policy.dual_control] ; ce qui n'attend que pour l'âge du registre peut être autorisé par tout autre utilisateur, par le socket Unix",
        ),
        C::ReleaseOthers => (
            "il irait maintenant à d'autres destinataires que ceux qui ont été montrés : à {to}",
            "regardez-le de nouveau avec `abeng release show`, et autorisez-le alors",
        ),
        C::ReleaseFile => (
            "son fichier {name} n'est plus sur ce disque",
            "refusez-le et faites-le soumettre de nouveau avec ses fichiers",
        ),
        C::ReleaseUnknown => (
            "le nœud s'est arrêté avant de pouvoir dire ce qu'il en est advenu",
            "démarrez-le et regardez avec `abeng release list`",
        ),
        C::ReleaseUnproved => (
            "une deuxième personne doit autoriser cet avis, et par TCP le nœud ne sait pas qui le soumet",
            "soumettez-le par la socket Unix, où le système dit qui c'est",
        ),
        C::ReleaseFullOwn => (
            "{count} de vos envois attendent déjà une autorisation, et il n'en est plus pris de vous",
            "faites décider ceux qui peuvent autoriser, ou retirez-en : `abeng release list`",
        ),
        C::ReleaseFull => (
            "{count} envois attendent déjà une autorisation, et il n'en est plus pris",
            "demandez à ceux qui peuvent autoriser de décider à leur sujet : `abeng release list`",
        ),
        C::StillWaits => ("non autorisé, il attend toujours", ""),
        C::HalfReleased => (
            "ce qui a été scellé à nouveau est déjà rappelé (copies : {copies}) ; le rappel lui-même n'est pas envoyé et attend toujours, l'autoriser encore une fois l'achève",
            "",
        ),
        C::OfficerReference => ("la référence d'un agent a de 1 à {limit} caractères", ""),
        C::UnknownRecipient => (
            "personne ici ne s'appelle `{code}`",
            "les membres sont {members}",
        ),
        C::UnknownRecipientNear => (
            "personne ici ne s'appelle `{code}` ; vouliez-vous dire {near} ?",
            "les membres sont {members}",
        ),
        C::RepeatedRecipient => (
            "{code} est nommé deux fois comme destinataire ; nommez-le une fois",
            "",
        ),
        C::Yourself => (
            "{code}, c'est vous-même ; votre propre copie reste parmi les envois",
            "",
        ),
        C::Inactive => (
            "{code} ne participe pas en ce moment (suspendu ou parti) ; demandez à {ask}",
            "",
        ),
        C::Newcomer => (
            "{code} est nouveau dans ce réseau et n'obtient ses droits ici que le {until} ; demandez à un administrateur de ce nœud, qui peut l'accepter avant : abeng roster accept --party {code}",
            "",
        ),
        C::NewInGroup => (
            "{code} est nouveau dans le groupe {group} et n'obtient les droits de ce groupe ici que le {until} ; demandez à un administrateur de ce nœud, qui peut l'accepter avant : abeng roster accept --group {group}",
            "",
        ),
        C::GrantedUpTo => (
            "{from} ne peut pas envoyer {type} avec {tlp} à {to} : les droits vont jusqu'à {highest} ; demandez à {ask}",
            "",
        ),
        C::NotGranted => (
            "{from} ne peut pas envoyer {type} avec {tlp} à {to} : aucun droit du registre {roster} ne le couvre ; demandez à {ask}",
            "",
        ),
        C::NoSealKey => (
            "on n'a aucune clé de scellement de {code} qui vaille maintenant ; elle vient au prochain contact, ou demandez à {code}",
            "",
        ),
        C::NotAllowed => (
            "les règles ne permettent pas de l'envoyer ainsi",
            "`abeng policy explain --to PARTIE --type TYPE` montre quelle règle",
        ),
        C::NotAllowedUnknown => ("il n'est pas envoyé ainsi", "les membres sont {members}"),
        C::TooManyRecipients => (
            "{found} destinataires, c'est trop : au plus {limit} ; envoyez-le en plusieurs fois",
            "",
        ),
        C::NoRecipient => (
            "il ne reste aucun destinataire ; nommez au moins une autre administration",
            "",
        ),
        C::UnknownParty => (
            "aucune administration ne s'appelle `{given}`",
            "les membres sont {members}",
        ),
        C::InactiveParty => (
            "{given} ne participe pas : suspendu ou parti",
            "les membres sont {members}",
        ),
        C::OwnParty => (
            "{given} est l'administration de ce nœud",
            "les membres sont {members}",
        ),
        C::UnknownType => (
            "`{given}` n'est pas un type d'avis",
            "les types que cette version connaît sont {types}",
        ),
        C::UnknownTlp => (
            "`{given}` n'est pas une étiquette TLP",
            "utilisez CLEAR, GREEN, AMBER, AMBER+STRICT ou RED",
        ),
        C::RecallNotOwn => (
            "{id} n'a pas été envoyé d'ici : seul son auteur peut le retirer",
            "`abeng sent list` montre ce qui a été envoyé d'ici",
        ),
        C::RecallOfRecall => (
            "un rappel ne se rappelle pas",
            "renvoyez l'avis s'il a été retiré par erreur",
        ),
        C::RecallNobody => (
            "personne ne l'a : chaque destinataire l'a refusé, laissé expirer ou déjà effacé",
            "`abeng track` montre ce qu'il est devenu",
        ),
        C::HeldAlready => (
            "{id} : il est déjà gelé",
            "`abeng hold list` montre ce qui est gelé, depuis quand et pourquoi",
        ),
        C::NotHeld => (
            "{id} : il n'est pas gelé",
            "`abeng hold list` montre ce qui est gelé, depuis quand et pourquoi",
        ),
        C::Crossed => (
            "autre chose a été fait à son sujet au même moment",
            "regardez-le de nouveau, puis recommencez",
        ),
        C::ReasonNeeded => (
            "il faut un motif, de 1000 octets au plus",
            "--reason \"affaire 2026/117, ordonnance du tribunal du 3 mai\"",
        ),
        C::BadKeepDate => (
            "la nouvelle date n'en est pas une, est passée ou à plus de dix ans",
            "écrivez une date comme 2031-12-31, ou une durée comme 365d",
        ),
        C::KeptByOther => (
            "{id} est venu d'une autre administration, qui dit combien de temps il est gardé",
            "un gel légal le garde : `abeng hold place ID --reason TEXTE`",
        ),
        C::KeptLonger => (
            "il est déjà gardé au moins aussi longtemps",
            "`abeng retention list --all` montre les dates",
        ),
        C::AttachmentEmpty => (
            "un fichier vide ne peut pas être joint",
            "choisissez un autre fichier, ou envoyez l'avis sans lui",
        ),
        C::AttachmentName => (
            "`{name}` ne peut pas être le nom d'une pièce jointe",
            "renommez le fichier : au plus 255 octets, sans / \\ : * ? \" < > |, sans point ni trait d'union au début",
        ),
        C::AttachmentTooLong => (
            "le fichier est plus long que ne peut l'être une pièce jointe : 2 GiB",
            "divisez-le, comprimez-le ou envoyez-le sur un disque",
        ),
        C::AttachmentsWait => (
            "trop de fichiers attendent les avis dont ils font partie",
            "envoyez ces avis, ou attendez : après un jour ils sont oubliés",
        ),
        C::AttachmentUsed => (
            "un fichier de l'avis a servi entre-temps à un autre",
            "renvoyez-le, avec le fichier",
        ),
        C::NoSuchAttachment => (
            "l'avis n'a pas cette pièce jointe",
            "`abeng attachment list ID` montre celles qu'il a",
        ),
        C::AttachmentTomorrow => (
            "la pièce jointe n'est pas encore ici : {here_bytes} sur {all_bytes} sont arrivés",
            "les octets du jour sur les voies payantes ne suffisent pas à sa prochaine partie : elle continue demain, ou après `abeng link allow` ici",
        ),
        C::AttachmentTomorrowThere => (
            "la pièce jointe n'est pas encore ici : {here_bytes} sur {all_bytes} sont arrivés",
            "les octets du jour chez {party} ne suffisent pas à sa prochaine partie : elle continue demain, ou après `abeng link allow` au nœud de {party}",
        ),
        C::AttachmentAsked => (
            "la pièce jointe n'est pas encore ici : {here_bytes} sur {all_bytes} sont arrivés",
            "elle est demandée ; attendez et recommencez ({party} est lié)",
        ),
        C::AttachmentUnlinked => (
            "la pièce jointe n'est pas encore ici : {here_bytes} sur {all_bytes} sont arrivés",
            "elle arrive dès que {party} est de nouveau lié, ou un relais qui a porté l'avis",
        ),
        C::CourierBusy => (
            "un autre fichier de courrier est en cours d'écriture ou de lecture",
            "attendez qu'il soit terminé",
        ),
        C::CourierLimit => (
            "une limite de {limit_bytes} ne laisse pas de place pour un avis : les clés des membres occupent à elles seules {fixed_bytes}",
            "donnez un --limit au-dessus de {fixed}, ou aucun",
        ),
        C::CourierNetwork => (
            "le fichier de courrier est du réseau `{other}`, et ce nœud est de `{network}`",
            "importez-le sur un nœud de ce réseau-là",
        ),
        C::CourierNamesake => (
            "le fichier de courrier est d'un autre réseau, qui s'appelle aussi `{network}` : sa première racine est {theirs}, et celle de ce nœud est {ours}",
            "importez-le sur un nœud de ce réseau-là ; `abeng status` y montre la même racine",
        ),
        C::CourierForOther => (
            "le fichier de courrier est pour {to}, et ce nœud est celui de {me}",
            "portez-le à {to} et lancez-y `abeng courier import`",
        ),
        C::CourierMadeHere => (
            "le fichier de courrier est pour {to}, et ce nœud est celui de {me}, où il a été fait",
            "portez-le à {to} et lancez-y `abeng courier import`",
        ),
        C::CourierNobody => ("le fichier de courrier ne nomme aucune administration", ""),
        C::CourierNone => (
            "ce n'est pas un fichier de courrier",
            "donnez le fichier que `abeng courier export` a écrit",
        ),
        C::CourierVersion => (
            "le fichier de courrier est d'une version inconnue ici",
            "mettez ce nœud à jour, ou demandez à l'expéditeur d'écrire avec la même version",
        ),
        C::CourierDamaged => (
            "le fichier de courrier est endommagé",
            "copiez-le encore sur la clé, ou demandez à l'expéditeur de l'écrire de nouveau",
        ),
        C::NoBudget => (
            "aucune voie ici n'a de quota",
            "`budget` sous [link.metered] dans node.toml en fixe un",
        ),
        C::Stranger => (
            "l'utilisateur {uid} ne peut pas utiliser le socket de ce nœud",
            "demandez à l'administrateur du nœud de vous mettre dans le groupe du socket",
        ),
        C::NotCoordination => (
            "{party} n'est pas un organe de coordination : seuls ceux-ci apprennent comment vont tous les nœuds",
            "utilisez `abeng status` ici, ou demandez à {offices}",
        ),
        C::SocketAbsent => (
            "aucun nœud ne tourne ici : il n'y a pas de socket à {path}",
            START,
        ),
        C::SocketSilent => (
            "aucun nœud ne tourne ici : personne n'écoute à {path}",
            START,
        ),
        C::SocketNone => ("{path} n'est pas un socket", OWN),
        C::SocketOpenToAll => (
            "{path} n'est pas sûr : son mode laisse entrer tout utilisateur",
            OWN,
        ),
        C::SocketOfOther => ("ce qui écoute à {path} n'est pas un nœud Abeng", OWN),
        C::SocketDenied => (
            "cet utilisateur ne peut pas utiliser {path}",
            "demandez à l'administrateur du nœud de vous mettre dans le groupe du socket",
        ),
        C::NodeUnreachable => (
            "le nœud à {address} ne peut être joint : {why}",
            "vérifiez que le nœud tourne",
        ),
        C::AnswerUnusable => (
            "la réponse du nœud est inutilisable : {what}",
            "regardez `abeng sent list` avant de répéter un envoi, et le journal technique du nœud",
        ),
    }
}

const PAST: &str = "envoyez depuis l'autre copie de ce nœud. Prévenez votre administrateur : en général c'est cette copie qu'il faut arrêter ; `abeng status` dit laquelle et comment continuer";
const START: &str = "démarrez le nœud (`abeng node run --config node.toml`), ou nommez le bon avec --data DIR, --socket CHEMIN ou ABENG_SOCKET";
const OWN: &str = "nommez le socket du nœud lui-même avec --socket CHEMIN ; c'est `abeng.sock` dans le répertoire de données du nœud";
