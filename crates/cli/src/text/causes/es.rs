use super::Words;
use abeng_api::Cause as C;

pub(super) fn words(cause: C) -> Words {
    match cause {
        C::NotAnId => (
            "`{given}` no es el identificador de un aviso",
            "dé sus 64 cifras hexadecimales, o las 8 primeras o más; `abeng sent list` y `abeng inbox list` las muestran",
        ),
        C::UnknownId => (
            "ningún aviso de aquí tiene un identificador que empiece por {digits}",
            "`abeng sent list` y `abeng inbox list` muestran los identificadores",
        ),
        C::AmbiguousId => (
            "más de un aviso tiene un identificador que empieza por {digits}",
            "dé más cifras",
        ),
        C::NotInInbox => (
            "{id} no está en la bandeja de entrada",
            "`abeng track` muestra lo que se envió desde aquí; `abeng inbox list`, lo que llegó",
        ),
        C::NotSentHere => (
            "{id} no se envió desde aquí",
            "`abeng inbox show` muestra lo que vino de otros",
        ),
        C::Deleted => (
            "el contenido se ha borrado; quedan quién lo envió, cuándo, y todos los acuses",
            "`abeng audit show --notice ID` muestra cada hoja sobre él",
        ),
        C::DeletedOn => (
            "el contenido se borró el {day}; quedan quién lo envió, cuándo, y todos los acuses",
            "`abeng audit show --notice ID` muestra cada hoja sobre él",
        ),
        C::DeletedRecalled => (
            "el contenido se borró el {day} porque su emisor lo retiró; quedan quién lo envió, cuándo, y todos los acuses",
            "`abeng audit show --notice ID` muestra cada hoja sobre él",
        ),
        C::DeletedKept => (
            "el contenido se borró el {day} porque venció su plazo de conservación; quedan quién lo envió, cuándo, y todos los acuses",
            "`abeng audit show --notice ID` muestra cada hoja sobre él",
        ),
        C::TakenBack => (
            "su emisor lo ha retirado: el contenido ya no se muestra y se borra en menos de una hora",
            "",
        ),
        C::NoContent => (
            "{id} no tiene contenido aquí",
            "`abeng inbox list` muestra lo entregado; `abeng sent list`, lo enviado",
        ),
        C::RefusedHere => ("{id} se rechazó aquí: no hay contenido", ""),
        C::Stopping => (
            "el nodo se está deteniendo",
            "repita la misma orden dentro de {seconds} s",
        ),
        C::Overloaded => (
            "el nodo tiene más trabajo del que puede tomar",
            "repita la misma orden dentro de {seconds} s",
        ),
        C::NobodyKnows => (
            "el nodo terminó antes de poder decir si aceptaba el aviso",
            "arránquelo y mire con `abeng sent list` antes de enviarlo otra vez",
        ),
        C::PastOlder => (
            "este nodo no envía nada: en otro lugar se conocen {theirs} hojas de este registro, y aquí hay {ours}; es una copia antigua de los datos",
            PAST,
        ),
        C::PastTwice => (
            "este nodo no envía nada: en otro lugar las primeras {size} hojas de este registro son otras que aquí; se puso en marcha dos veces",
            PAST,
        ),
        C::PastNewer => (
            "este nodo no envía nada: en otro lugar ha empezado una vida más nueva de este registro, {life}",
            PAST,
        ),
        C::PastUnknown => (
            "este nodo no envía nada: el sobre {id} se envió en esta vida del registro, que no lo conoce",
            PAST,
        ),
        C::PastBefore => (
            "este nodo no envía nada: ya se probó que este registro continúa desde un pasado que no es el más reciente",
            PAST,
        ),
        C::NoRoomQuota => (
            "no se admite: el directorio de datos ocupa {used_bytes} de los {disk_bytes} permitidos; de ellos deben quedar {needed_bytes} antes de admitir algo nuevo, y quedan {left_bytes}: faltan {short_bytes} o más",
            "aumente `disk` o reduzca `reserve` en [quota] de node.toml, o borre lo que no haga falta conservar (`abeng retention`)",
        ),
        C::NoRoomDisk => (
            "no se admite: debe haber {needed_bytes} libres en el disco antes de admitir algo nuevo, y hay {free_bytes}: libere {short_bytes} o más",
            "libere espacio en el disco del directorio de datos, o páselo a uno mayor; no se ha perdido nada, y lo que está en cola sigue su camino",
        ),
        C::KeyUnusable => (
            "este nodo no envía nada: según el padrón y el reloj, los demás no aceptarían su clave de firma",
            "compruebe el reloj de la máquina (`date -u`); si es correcto, la administración necesita claves nuevas: avise a su administrador",
        ),
        C::RosterChanged => (
            "el padrón cambió mientras se sellaba el aviso, y ya no lo permite",
            "mire los destinatarios con `abeng status` y envíelo otra vez",
        ),
        C::NoPrecedence => (
            "`{given}` no es una precedencia",
            "use FLASH, IMMEDIATE, PRIORITY o ROUTINE",
        ),
        C::BadLife => (
            "el plazo de entrega es de {hours} horas; debe ser de 1 a 2160 (90 días)",
            "",
        ),
        C::RecallSubmitted => (
            "una retirada va exactamente a quienes tienen el aviso",
            "la hace `abeng recall ID --reason CÓDIGO`",
        ),
        C::Flawed => (
            "el aviso tiene errores y no se ha enviado",
            "corrija cada campo indicado; lo marcado como duda puede quedarse",
        ),
        C::DraftUnreadable => (
            "el aviso no se puede leer",
            "`abeng submit seizure --dry-run -f ARCHIVO` muestra dónde; docs/notices.md enumera cada campo",
        ),
        C::SignerFails => (
            "el aviso no se envió: la clave de firma no se puede usar ahora",
            "pida al administrador que mire el token con la clave de firma (`abeng status` dice qué le pasa), y envíelo otra vez",
        ),
        C::SealingFailed => (
            "el sellado falló y no se envió nada",
            "pida al administrador que mire el registro de actividad del nodo",
        ),
        C::ReleaseId => (
            "lo retenido se nombra con 8 a 32 cifras hexadecimales de su identificador",
            "`abeng release list` muestra los identificadores",
        ),
        C::ReleaseAmbiguous => (
            "más de un envío retenido tiene un identificador que empieza así",
            "dé más cifras",
        ),
        C::ReleaseNone => (
            "ningún envío con este identificador espera aquí: se autorizó o se denegó, o nunca esperó",
            "`abeng release list` muestra lo que espera; `abeng audit show --kind ADMIN`, lo que se decidió",
        ),
        C::ReleaseTaken => (
            "otra persona está decidiendo sobre él en este momento",
            "mire de nuevo dentro de un momento con `abeng release list`; si sigue así, arranque el nodo otra vez",
        ),
        C::ReleaseDamaged => (
            "el envío retenido {id} no se puede abrir: su archivo fue alterado o está dañado",
            "no se envía; deniéguelo y haga que se presente otra vez",
        ),
        C::ReleaseDisk => (
            "los envíos retenidos no se pueden leer o escribir",
            "compruebe el disco del directorio de datos; el registro de actividad del nodo dice más",
        ),
        C::ReleaseOwn => (
            "quien presentó un aviso no puede autorizarlo: el nodo conoce a las personas por su identificador de usuario, y los dos tienen el mismo",
            "debe hacerlo otra persona con derecho a autorizar, con un usuario propio; usted puede retirarlo con `abeng release deny`",
        ),
        C::NotReleaser => (
            "{who} no puede autorizar lo que otros presentaron",
            "pueden hacerlo {releasers}, por el socket de Unix y cada uno con un usuario propio; quien lo presentó puede retirarlo con `abeng release deny`",
        ),
        C::NoReleasers => (
            "{who} no puede autorizar lo que otros presentaron, ni nadie más",
            "node.toml no nombra a nadie que pueda: `releasers` en [policy.dual_control]; lo que espera solo por la edad del padrón puede autorizarlo cualquier otro usuario, por el socket de Unix",
        ),
        C::ReleaseOthers => (
            "ahora iría a otros destinatarios que los que se mostraron: a {to}",
            "mírelo de nuevo con `abeng release show`, y autorícelo entonces",
        ),
        C::ReleaseFile => (
            "su archivo {name} ya no está en este disco",
            "deniéguelo y haga que se presente otra vez con sus archivos",
        ),
        C::ReleaseUnknown => (
            "el nodo terminó antes de poder decir qué fue de él",
            "arránquelo y mire con `abeng release list`",
        ),
        C::ReleaseUnproved => (
            "una segunda persona debe autorizar este aviso, y por TCP el nodo no sabe quién lo presenta",
            "preséntelo por el socket de Unix, donde el sistema dice quién es",
        ),
        C::ReleaseFullOwn => (
            "ya esperan autorización {count} envíos suyos, y no se admiten más de usted",
            "haga que quienes pueden autorizar decidan sobre ellos, o retire algunos: `abeng release list`",
        ),
        C::ReleaseFull => (
            "ya esperan autorización {count} envíos, y no se admiten más",
            "pida a quienes pueden autorizar que decidan sobre ellos: `abeng release list`",
        ),
        C::StillWaits => ("no se autorizó, sigue esperando", ""),
        C::HalfReleased => (
            "las copias selladas de nuevo ya se retiraron ({copies}); la retirada misma no se envió y sigue esperando, y autorizarla otra vez lo termina",
            "",
        ),
        C::OfficerReference => (
            "la referencia de un funcionario tiene de 1 a {limit} caracteres",
            "",
        ),
        C::UnknownRecipient => ("aquí nadie se llama `{code}`", "los miembros son {members}"),
        C::UnknownRecipientNear => (
            "aquí nadie se llama `{code}`; ¿quería decir {near}?",
            "los miembros son {members}",
        ),
        C::RepeatedRecipient => (
            "{code} figura dos veces como destinatario; nómbrelo una sola vez",
            "",
        ),
        C::Yourself => (
            "{code} es usted mismo; su propia copia queda en lo enviado",
            "",
        ),
        C::Inactive => (
            "{code} no participa por ahora (está suspendido o se ha ido); pregunte a {ask}",
            "",
        ),
        C::Newcomer => (
            "{code} es nuevo en esta red y no obtiene sus permisos aquí hasta {until}; pregunte a un administrador de este nodo, que puede aceptarlo antes: abeng roster accept --party {code}",
            "",
        ),
        C::NewInGroup => (
            "{code} es nuevo en el grupo {group} y no obtiene los permisos de ese grupo aquí hasta {until}; pregunte a un administrador de este nodo, que puede aceptarlo antes: abeng roster accept --group {group}",
            "",
        ),
        C::GrantedUpTo => (
            "{from} no puede enviar {type} con {tlp} a {to}: los permisos llegan hasta {highest}; pregunte a {ask}",
            "",
        ),
        C::NotGranted => (
            "{from} no puede enviar {type} con {tlp} a {to}: ningún permiso del padrón {roster} lo cubre; pregunte a {ask}",
            "",
        ),
        C::NoSealKey => (
            "no se tiene ninguna clave de sellado de {code} que valga ahora; llega con el próximo contacto, o pregunte a {code}",
            "",
        ),
        C::NotAllowed => (
            "las reglas no permiten enviarlo así",
            "`abeng policy explain --to PARTE --type TIPO` muestra qué regla",
        ),
        C::NotAllowedUnknown => ("no se envía así", "los miembros son {members}"),
        C::TooManyRecipients => (
            "{found} destinatarios son demasiados, como mucho {limit}; envíelo por partes",
            "",
        ),
        C::NoRecipient => (
            "no queda ningún destinatario; nombre al menos a otra administración",
            "",
        ),
        C::UnknownParty => (
            "ninguna administración se llama `{given}`",
            "los miembros son {members}",
        ),
        C::InactiveParty => (
            "{given} no participa: está suspendido o se ha ido",
            "los miembros son {members}",
        ),
        C::OwnParty => (
            "{given} es la administración de este nodo",
            "los miembros son {members}",
        ),
        C::UnknownType => (
            "`{given}` no es un tipo de aviso",
            "los tipos que esta versión conoce son {types}",
        ),
        C::UnknownTlp => (
            "`{given}` no es una etiqueta TLP",
            "use CLEAR, GREEN, AMBER, AMBER+STRICT o RED",
        ),
        C::RecallNotOwn => (
            "{id} no se envió desde aquí: solo su emisor puede retirarlo",
            "`abeng sent list` muestra lo que se envió desde aquí",
        ),
        C::RecallOfRecall => (
            "una retirada no se puede retirar",
            "envíe el aviso otra vez si se retiró por error",
        ),
        C::RecallNobody => (
            "nadie lo tiene: cada destinatario lo ha rechazado, lo ha dejado caducar o ya lo ha borrado",
            "`abeng track` muestra qué fue de él",
        ),
        C::HeldAlready => (
            "{id}: ya está retenido",
            "`abeng hold list` muestra qué está retenido, desde cuándo y por qué",
        ),
        C::NotHeld => (
            "{id}: no está retenido",
            "`abeng hold list` muestra qué está retenido, desde cuándo y por qué",
        ),
        C::Crossed => (
            "en el mismo momento se hizo otra cosa con él",
            "mírelo de nuevo y vuelva a intentarlo",
        ),
        C::ReasonNeeded => (
            "hace falta un motivo, de 1000 bytes como mucho",
            "--reason \"caso 2026/117, auto del juzgado del 3 de mayo\"",
        ),
        C::BadKeepDate => (
            "la fecha nueva no es una fecha, está en el pasado o a más de diez años",
            "escriba una fecha como 2031-12-31, o un plazo como 365d",
        ),
        C::KeptByOther => (
            "{id} vino de otra administración, que dice cuánto tiempo se conserva",
            "una retención legal lo conserva: `abeng hold place ID --reason TEXTO`",
        ),
        C::KeptLonger => (
            "ya se conserva al menos ese tiempo",
            "`abeng retention list --all` muestra las fechas",
        ),
        C::AttachmentEmpty => (
            "un archivo vacío no se puede adjuntar",
            "elija otro archivo, o envíe el aviso sin él",
        ),
        C::AttachmentName => (
            "`{name}` no puede ser el nombre de un anexo",
            "cambie el nombre del archivo: 255 bytes como mucho, sin / \\ : * ? \" < > |, sin punto ni guion al principio",
        ),
        C::AttachmentTooLong => (
            "el archivo es más largo de lo que puede ser un anexo: 2 GiB",
            "divídalo, comprímalo o mándelo en un disco",
        ),
        C::AttachmentsWait => (
            "demasiados archivos esperan los avisos a los que pertenecen",
            "envíe esos avisos, o espere: al cabo de un día se olvidan",
        ),
        C::AttachmentUsed => (
            "un archivo del aviso se usó mientras tanto para otro",
            "envíelo otra vez, con el archivo",
        ),
        C::NoSuchAttachment => (
            "el aviso no tiene ese anexo",
            "`abeng attachment list ID` muestra los que tiene",
        ),
        C::AttachmentTomorrow => (
            "el anexo aún no está aquí: han llegado {here_bytes} de {all_bytes}",
            "los bytes del día en vías de pago no alcanzan para su próxima parte: sigue mañana, o tras `abeng link allow` aquí",
        ),
        C::AttachmentTomorrowThere => (
            "el anexo aún no está aquí: han llegado {here_bytes} de {all_bytes}",
            "los bytes del día de {party} no alcanzan para su próxima parte: sigue mañana, o tras `abeng link allow` en el nodo de {party}",
        ),
        C::AttachmentAsked => (
            "el anexo aún no está aquí: han llegado {here_bytes} de {all_bytes}",
            "ya se ha pedido; espere y vuelva a intentarlo ({party} está enlazado)",
        ),
        C::AttachmentUnlinked => (
            "el anexo aún no está aquí: han llegado {here_bytes} de {all_bytes}",
            "llega en cuanto {party} vuelva a estar enlazado, o un relevo que llevó el aviso",
        ),
        C::CourierBusy => (
            "se está haciendo o leyendo otro archivo de mensajería",
            "espere a que termine",
        ),
        C::CourierLimit => (
            "un límite de {limit_bytes} no deja sitio para un aviso: solo las claves de los miembros ocupan {fixed_bytes}",
            "dé un --limit mayor que {fixed}, o ninguno",
        ),
        C::CourierNetwork => (
            "el archivo de mensajería es de la red `{other}`, y este nodo es de `{network}`",
            "impórtelo en un nodo de esa red",
        ),
        C::CourierNamesake => (
            "el archivo de mensajería es de otra red, que también se llama `{network}`: su primera raíz es {theirs}, y la de este nodo es {ours}",
            "impórtelo en un nodo de esa red; allí `abeng status` muestra la misma raíz",
        ),
        C::CourierForOther => (
            "el archivo de mensajería es para {to}, y este es el nodo de {me}",
            "llévelo a {to} y ejecute allí `abeng courier import`",
        ),
        C::CourierMadeHere => (
            "el archivo de mensajería es para {to}, y este es el nodo de {me}, donde se hizo",
            "llévelo a {to} y ejecute allí `abeng courier import`",
        ),
        C::CourierNobody => (
            "el archivo de mensajería no nombra a ninguna administración",
            "",
        ),
        C::CourierNone => (
            "no es un archivo de mensajería",
            "dé el archivo que escribió `abeng courier export`",
        ),
        C::CourierVersion => (
            "el archivo de mensajería es de una versión que aquí no se conoce",
            "actualice este nodo, o pida al emisor que lo escriba con la misma versión",
        ),
        C::CourierDamaged => (
            "el archivo de mensajería está dañado",
            "cópielo otra vez en la memoria, o pida al emisor que lo escriba otra vez",
        ),
        C::NoBudget => (
            "ninguna vía de aquí tiene una cuota",
            "`budget` en [link.metered] de node.toml pone una",
        ),
        C::Stranger => (
            "el usuario {uid} no puede usar el socket de este nodo",
            "pida al administrador del nodo que le incluya en el grupo del socket",
        ),
        C::NotCoordination => (
            "{party} no es un órgano de coordinación: solo a estos se les dice cómo están todos los nodos",
            "use aquí `abeng status`, o pregunte a {offices}",
        ),
        C::SocketAbsent => (
            "aquí no funciona ningún nodo: no hay socket en {path}",
            START,
        ),
        C::SocketSilent => (
            "aquí no funciona ningún nodo: nadie escucha en {path}",
            START,
        ),
        C::SocketNone => ("{path} no es un socket", OWN),
        C::SocketOpenToAll => (
            "{path} no es de fiar: su modo deja entrar a cualquier usuario",
            OWN,
        ),
        C::SocketOfOther => ("lo que escucha en {path} no es un nodo de Abeng", OWN),
        C::SocketDenied => (
            "este usuario no puede usar {path}",
            "pida al administrador del nodo que le incluya en el grupo del socket",
        ),
        C::NodeUnreachable => (
            "no se puede alcanzar el nodo en {address}: {why}",
            "compruebe que el nodo está en marcha",
        ),
        C::AnswerUnusable => (
            "la respuesta del nodo no sirve: {what}",
            "mire `abeng sent list` antes de repetir un envío, y el registro de actividad del nodo",
        ),
    }
}

const PAST: &str = "envíe desde la otra copia de este nodo. Avise a su administrador: por lo general es esta copia la que hay que apagar; `abeng status` dice cuál y cómo seguir";
const START: &str = "arranque el nodo (`abeng node run --config node.toml`), o nombre el correcto con --data DIR, --socket RUTA o ABENG_SOCKET";
const OWN: &str = "nombre el socket del propio nodo con --socket RUTA; es `abeng.sock` en el directorio de datos del nodo";
