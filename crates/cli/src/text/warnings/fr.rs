use abeng_api::Warned as W;

pub(super) fn words(warned: W) -> &'static str {
    match warned {
        W::SignerTrouble => {
            "CE NŒUD N'A PAS PU SIGNER à son dernier essai : le jeton qui porte la clé de signature ne signe pas. Rien n'est envoyé d'ici tant que le jeton n'est pas revenu et ne signe pas (envoyez quelque chose à nouveau pour essayer ; s'il a refusé le PIN, il faut redémarrer le nœud) ; ce qui arrive est reçu et prouvé comme avant. Le journal technique du nœud dit ce que le jeton a répondu"
        }
        W::TwoRoots => {
            "IL Y A DEUX VERSIONS {version} DIFFÉRENTES de la racine, toutes deux bien signées : {held} est en vigueur ici, {other} est gardée à côté. Quelqu'un signe deux choses à la fois : parlez par téléphone au Secrétariat et aux autres administrations"
        }
        W::TwoRosters => {
            "IL Y A DEUX VERSIONS {version} DIFFÉRENTES du registre des membres, toutes deux bien signées : {held} est en vigueur ici, {other} est gardée à côté. Quelqu'un signe deux choses à la fois : parlez par téléphone au Secrétariat et aux autres administrations"
        }
        W::TwoSealKeys => {
            "IL Y A DEUX CLÉS DE SCELLEMENT {version} DIFFÉRENTES de {party}, toutes deux bien signées : {held} est en vigueur ici, {other} est gardée à côté. Quelqu'un signe deux choses à la fois : parlez par téléphone à {party} et au Secrétariat"
        }
        W::RosterNews => {
            "le registre des membres {version} est en vigueur, avec des changements que personne n'a vus ici : {count}. Vérifiez-les avec qui l'a annoncé, regardez-les avec `abeng roster pending`, puis dites-le : `abeng roster accept`"
        }
        W::NewcomerHolds => {
            "{party} a des avis pour ce nœud et est nouveau ici : ils restent chez {party} jusqu'au {until}, ou jusqu'à ce que vous l'acceptiez : `abeng roster accept {way}`"
        }
        W::KeysReplaced => {
            "LA RACINE A REMPLACÉ LES CLÉS DE {party}. Ce nœud utilise les nouvelles à partir du {until}. Téléphonez maintenant à {party} : si rien n'y a été perdu, quelqu'un d'autre va lire ce que vous lui envoyez"
        }
        W::KeysReplacedFor => {
            "LA RACINE A REMPLACÉ LES CLÉS DE {party} (« {reason} »). Ce nœud utilise les nouvelles à partir du {until}. Téléphonez maintenant à {party} : si rien n'y a été perdu, quelqu'un d'autre va lire ce que vous lui envoyez"
        }
        W::ClockDoubted => {
            "l'horloge est mise en doute : elle a sauté, ou est loin de la dernière chose connue ici (incertitude {minutes} min). Rien n'expire à cause d'elle avant qu'un autre nœud la confirme ; vérifiez-la avec `date -u`"
        }
        W::ClockWrong => {
            "l'horloge est fausse de {minutes} min, d'après la plupart des autres nœuds ; leur heure est utilisée en attendant. Réglez-la (`timedatectl`), et veillez à ce que la machine garde l'heure"
        }
        W::BudgetUsed => {
            "les octets du jour sur les voies payantes sont épuisés : rien que FLASH n'y est envoyé jusqu'au {until}. `abeng link allow` permet d'en dépenser plus aujourd'hui"
        }
        W::OwnFaults => {
            "pièces jointes envoyées d'ici : endommagées sur ce disque {damaged}, disparues de ce disque {gone} (de {notices}). Reprenez `blobs` d'une sauvegarde du répertoire de données ; `abeng attachment list ID` dit lesquelles"
        }
        W::Lacked => {
            "pièces jointes qui ne sont pas arrivées et que leurs expéditeurs ne peuvent pas donner : ils n'en ont plus {gone}, endommagées sur leurs disques {damaged}. `abeng attachment list ID` dit de qui elles sont ; demandez-leur de reprendre `blobs` d'une sauvegarde, ou de renvoyer le fichier"
        }
        W::OwnBudget => {
            "fichiers qui attendent les octets du jour de ce nœud sur les voies payantes : à venir {come}, à envoyer {go} ; ils continuent le {until}, ou après `abeng link allow` ici"
        }
        W::OwnBudgetSmall => {
            "fichiers qui attendent les octets du jour de ce nœud sur les voies payantes : à venir {come}, à envoyer {go} ; le budget d'un jour peut ne pas suffire à un morceau de l'un d'eux (jusqu'à {piece_bytes}, outre ce qui est gardé pour FLASH). Augmentez `budget` dans [link.metered], ou utilisez `abeng link allow`"
        }
        W::TheirBudget => {
            "fichiers qui attendent les octets du jour d'autres nœuds : à venir {come} ; ils continuent à leur lendemain, ou après `abeng link allow` là-bas ; `abeng attachment list ID` dit de qui est le jour"
        }
        W::BlobsDamaged => {
            "fichiers de pièces jointes endommagés sur ce disque et mis de côté : {count} ({first}). Ils reviennent de leurs expéditeurs tant que ceux-ci les ont. Faites examiner le disque ; effacez ce qui a été mis de côté quand cela ne sert plus"
        }
        W::HeldDamaged => {
            "l'envoi retenu {id} ne peut pas être ouvert : {file} a été altéré ou est endommagé. Il n'est pas envoyé. Qui l'a soumis peut le soumettre de nouveau ; `abeng release deny {id} --reason TEXTE` l'enlève"
        }
        W::HeldEarlier => {
            "envois qui attendent une autorisation depuis avant cette vie du journal : {count}. Ce qui a été autorisé après la sauvegarde a pu être envoyé. Regardez `abeng sent`, et demandez aux destinataires, avant d'autoriser : `abeng release list`"
        }
        W::Contradicted => {
            "le journal de {party} se contredit : la preuve est gardée ici et sa liaison est fermée. Parlez à {party} et au bureau de coordination ; `accept_contradicted` dans [link] de node.toml rouvre la liaison"
        }
        W::Unwitnessed => {
            "depuis plus de quatre heures trop peu de témoins ont cosigné ce qui est nouveau dans le journal : les liaisons avec eux sont-elles établies ?"
        }
        W::Accused => {
            "{parties} : liaison fermée là-bas, où l'on dit avoir la preuve que le journal de ce nœud se contredit. Arrêtez ce nœud et cherchez si une copie plus ancienne de ses données a été démarrée (docs/operations.md)"
        }
        W::Unexplained => {
            "le journal de {parties} n'explique pas comment s'accordent les points de contrôle montrés à d'autres : demandez à son exploitant ; un second passé peut s'y cacher"
        }
        W::LacksKey => {
            "il manque au trousseau d'ici une clé de scellement que d'autres utilisent pour cette administration ({kid}, publiée du {since} au {until}) : ce qui lui est scellé est refusé avec KEY_GONE, et les nœuds des expéditeurs le scellent de nouveau quand ce nœud a publié une clé plus récente. Mettez en place une copie plus récente du trousseau s'il y en a une ; sinon publiez tout de suite une nouvelle clé avec `abeng keys rotate --seal`"
        }
        W::KeyGone => {
            "enveloppes refusées depuis le démarrage faute de la clé de scellement (KEY_GONE) : {count}, la dernière de {party} le {at}. Les nœuds des expéditeurs les scellent de nouveau dès qu'ils ont la clé plus récente de ce nœud"
        }
        W::SealKeyWaits => {
            "une nouvelle clé de scellement attend une sauvegarde : lancez `abeng keys backup` ou `abeng backup`, ou nommez `backup_dir` dans [keys] de node.toml"
        }
        W::Unreachable => {
            "personne ne peut envoyer à cette administration : aucune de ses clés de scellement n'est en vigueur. Le nœud en publie une de lui-même là où il le peut ; voyez les autres avertissements, ou `abeng keys rotate --seal`"
        }
        W::SealKeyUnsigned => {
            "la clé org-sign de ce nœud est révoquée, attend, ou n'est pas au registre des membres, si bien qu'aucune clé de scellement ne peut être signée avec elle : mettez à sa place le trousseau qui a la clé que nomme le registre, et redémarrez le nœud (docs/operations.md) ; si la clé attend seulement, rien n'est nécessaire"
        }
        W::KeysGoing => {
            "clés qui devaient être détruites et qui n'ont pas encore disparu ou ne sont pas encore au journal : {kids}. Un nouvel essai a lieu chaque minute, et les messages du nœud disent pourquoi il a échoué"
        }
        W::KeysCopied => {
            "LES CLÉS DE SCELLEMENT DE {parties} ONT UNE MOITIÉ EN COMMUN : l'une de ces administrations a publié comme sienne celle d'une autre, et qui détient la clé peut lire ce qui est scellé pour celle qui l'a copiée. On scelle pour chacune comme elle le dit elle-même. Demandez-leur par téléphone et prévenez le Secrétariat ; celle à qui est la clé en fait une autre avec `abeng keys rotate --seal`"
        }
        W::KeysCopiedMore => "il en va de même d'autres groupes d'administrations : {count}",
        W::CopyStays => {
            "il y a dans {dir} une autre copie du trousseau, qui n'a pas été écrasée ; la copie du trousseau de ce nœud est dans {out} : `abeng restore --keys {out}` la prend là. Gardez l'autre : elle seule ouvre peut-être ce qui a été scellé à ses clés. Une fois qu'elle est en lieu sûr, le nœud met la sienne dans {dir} en moins d'une minute"
        }
        W::StaleCopy => {
            "une vieille copie du nœud de {party} tourne : dans la vie {life} de son journal, que la vie {newer} a close. Elle est refusée ici depuis le {since} (fois : {count}, la dernière le {last}), et rien n'est pris d'elle. Dites à {party}, par un autre moyen, d'arrêter cette copie pour de bon"
        }
        W::NewLife => {
            "{party} a commencé une nouvelle vie de son journal (vue ici le {at}) : demandez-leur, par un autre moyen, si leur machine a été perdue ou remplacée"
        }
        W::TornTail => {
            "au dernier démarrage un lot déchiré de {bytes} octets a été coupé à {file}:{offset}"
        }
        W::TilesAhead => {
            "feuilles qui manquent au journal et que les tuiles connaissent : {count}. Ceci est peut-être une vieille copie"
        }
        W::EarlierLife => {
            "le journal d'une vie antérieure est dans {dir} : ce qui est effacé ou rappelé ici y reste. Quand cette vie tourne bien, effacez ce répertoire"
        }
        W::RosterExpires => {
            "jours avant l'expiration du registre des membres : {days}. Demandez le suivant au Secrétariat"
        }
        W::RosterAgeing => {
            "le registre des membres a été confirmé pour la dernière fois il y a {days} jours ({at}) : aucune déclaration de fraîcheur n'est venue depuis. Dans {left} jour(s), les nouveaux envois attendront une deuxième personne. Procurez-vous la dernière déclaration : par une liaison avec tout nœud qui l'a, par un fichier de courrier (`abeng courier import`), ou auprès du Secrétariat (`abeng roster import FILE`)"
        }
        W::RosterPastLimit => {
            "LE REGISTRE DES MEMBRES A ÉTÉ CONFIRMÉ POUR LA DERNIÈRE FOIS IL Y A {days} JOURS ({at}), et la limite est de {limit} : un plus récent peut nommer d'autres membres et d'autres clés. Les nouveaux envois attendent qu'une deuxième personne les autorise (`abeng release list`) ; ce qui est en route continue. Procurez-vous la dernière déclaration : par une liaison avec tout nœud qui l'a, par un fichier de courrier (`abeng courier import`), ou auprès du Secrétariat (`abeng roster import FILE`)"
        }
        W::RosterExpired => {
            "LE REGISTRE DES MEMBRES A EXPIRÉ ({at}) : un plus récent est en vigueur ailleurs, ou personne n'en a fait. Si cette date est fausse, vérifiez l'horloge de la machine (`date -u`). Les nouveaux envois attendent qu'une deuxième personne les autorise (`abeng release list`) ; ce qui est en route continue. Procurez-vous la dernière déclaration : par une liaison avec tout nœud qui l'a, par un fichier de courrier (`abeng courier import`), ou auprès du Secrétariat (`abeng roster import FILE`)"
        }
        W::PartySuspended => {
            "SELON LE REGISTRE DES MEMBRES, CETTE ADMINISTRATION EST SUSPENDUE OU S'EST RETIRÉE : rien n'est envoyé d'ici, et les autres ne gardent pas de liaison avec ce nœud. Ce qui est arrivé peut être lu, exporté et prouvé. Demandez au Secrétariat ; un registre plus récent est pris sans redémarrage : `abeng roster import FILE`"
        }
        W::OwnKeyFaulty => {
            "LES AUTRES NE CROIENT PAS EN CE MOMENT CE QUE SIGNE LA CLÉ {role} DE CE NŒUD : elle n'est pas au registre des membres, elle est révoquée ou hors de sa période. Vérifiez l'horloge de la machine (`date -u`) ; si elle est juste, l'administration a besoin de nouvelles clés : docs/operations.md, Keys"
        }
        W::DiskLow => "il reste moins de 1 Gio libre sur le disque du répertoire de données",
        W::KeysPlain => {
            "les clés sont gardées non chiffrées (insecure_plain) : pour des essais seulement"
        }
        W::NotComing => {
            "numéros de {party} qui ne viendront pas, car perdus là-bas : {count} (le premier depuis le {at}). Il peut y avoir parmi eux des avis pour vous : demandez à {party} ce que c'était"
        }
        W::StrandedLeft => {
            "avis qui attendent {party}, qui a quitté le réseau : {count}. Ils restent ici, et ne vont à personne, jusqu'à ce qu'il participe de nouveau ou qu'ils expirent"
        }
        W::StrandedSuspended => {
            "avis qui attendent {party}, qui est suspendu dans le registre des membres : {count}. Ils restent ici, et ne vont à personne, jusqu'à ce qu'il participe de nouveau ou qu'ils expirent"
        }
        W::DueSoon => {
            "avis envoyés d'ici dont le contenu est effacé dans les 30 jours : {count}. `abeng retention list` les nomme, `abeng retention extend` garde la copie propre plus longtemps"
        }
    }
}
