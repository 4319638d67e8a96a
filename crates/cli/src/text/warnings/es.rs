use abeng_api::Warned as W;

pub(super) fn words(warned: W) -> &'static str {
    match warned {
        W::SignerTrouble => {
            "ESTE NODO NO PUDO FIRMAR la última vez que lo intentó: el token con la clave de firma no firma. Desde aquí no se envía nada hasta que el token vuelva y firme (envíe algo otra vez para probarlo; si rechazó el PIN hay que arrancar el nodo de nuevo); lo que llega se recibe y se prueba como antes. El registro de actividad del nodo dice qué contestó el token"
        }
        W::TwoRoots => {
            "HAY DOS VERSIONES {version} DISTINTAS de la raíz, las dos bien firmadas: aquí rige {held}, y junto a ella se guarda {other}. Alguien firma dos cosas a la vez: hable por teléfono con la Secretaría y con las demás administraciones"
        }
        W::TwoRosters => {
            "HAY DOS VERSIONES {version} DISTINTAS del padrón, las dos bien firmadas: aquí rige {held}, y junto a ella se guarda {other}. Alguien firma dos cosas a la vez: hable por teléfono con la Secretaría y con las demás administraciones"
        }
        W::TwoSealKeys => {
            "HAY DOS CLAVES DE SELLADO {version} DISTINTAS de {party}, las dos bien firmadas: aquí rige {held}, y junto a ella se guarda {other}. Alguien firma dos cosas a la vez: hable por teléfono con {party} y con la Secretaría"
        }
        W::RosterNews => {
            "rige el padrón {version}, con cambios que nadie ha visto aquí: {count}. Compruébelos con quien lo anunció, mírelos con `abeng roster pending` y dígalo después: `abeng roster accept`"
        }
        W::NewcomerHolds => {
            "{party} tiene avisos para este nodo y es nuevo aquí: se quedan en {party} hasta {until}, o hasta que usted lo acepte: `abeng roster accept {way}`"
        }
        W::KeysReplaced => {
            "LA RAÍZ HA SUSTITUIDO LAS CLAVES DE {party}. Este nodo usa las nuevas desde {until}. Llame ahora a {party}: si allí no se perdió nada, otra persona está a punto de leer lo que usted les envía"
        }
        W::KeysReplacedFor => {
            "LA RAÍZ HA SUSTITUIDO LAS CLAVES DE {party} (\"{reason}\"). Este nodo usa las nuevas desde {until}. Llame ahora a {party}: si allí no se perdió nada, otra persona está a punto de leer lo que usted les envía"
        }
        W::ClockDoubted => {
            "el reloj está en duda: ha saltado, o está lejos de lo último que aquí se sabe (incertidumbre {minutes} min). Nada caduca por él hasta que otro nodo lo confirme; compruébelo con `date -u`"
        }
        W::ClockWrong => {
            "el reloj está equivocado en {minutes} min, según la mayoría de los otros nodos; mientras tanto se usa la hora de ellos. Póngalo en hora (`timedatectl`), y mire que la máquina la mantenga"
        }
        W::BudgetUsed => {
            "los bytes del día en vías de pago se han agotado: por ellas no se envía nada más que FLASH hasta {until}. `abeng link allow` permite gastar más hoy"
        }
        W::OwnFaults => {
            "anexos enviados desde aquí: dañados en este disco {damaged}, ya no están en él {gone} (de {notices}). Tome `blobs` de una copia de seguridad del directorio de datos; `abeng attachment list ID` dice cuáles son"
        }
        W::Lacked => {
            "anexos que no han llegado y que sus emisores no pueden dar: ya no los tienen {gone}, dañados en sus discos {damaged}. `abeng attachment list ID` dice de quién son; pídales que tomen `blobs` de una copia de seguridad, o que envíen el archivo otra vez"
        }
        W::OwnBudget => {
            "archivos que esperan los bytes del día de este nodo en vías de pago: por llegar {come}, por enviar {go}; siguen el {until}, o tras `abeng link allow` aquí"
        }
        W::OwnBudgetSmall => {
            "archivos que esperan los bytes del día de este nodo en vías de pago: por llegar {come}, por enviar {go}; puede que la cuota de un día no alcance para una parte de uno (hasta {piece_bytes}, además de lo que se guarda para FLASH). Aumente `budget` en [link.metered], o use `abeng link allow`"
        }
        W::TheirBudget => {
            "archivos que esperan los bytes del día de otros nodos: por llegar {come}; siguen cuando allí sea mañana, o tras `abeng link allow` allí; `abeng attachment list ID` dice de quién es el día"
        }
        W::BlobsDamaged => {
            "archivos de anexos dañados en este disco y apartados: {count} ({first}). Vuelven de sus emisores mientras estos los tengan. Haga revisar el disco; borre lo apartado cuando ya no sirva"
        }
        W::HeldDamaged => {
            "el envío retenido {id} no se puede abrir: {file} fue alterado o está dañado. No se envía. Quien lo presentó puede presentarlo otra vez; `abeng release deny {id} --reason TEXTO` lo quita"
        }
        W::HeldEarlier => {
            "envíos que esperan autorización desde antes de esta vida del registro: {count}. Lo que se autorizó después de la copia de seguridad puede haberse enviado. Mire `abeng sent`, y pregunte a los destinatarios, antes de autorizar: `abeng release list`"
        }
        W::Contradicted => {
            "el registro de {party} se contradice: la prueba se guarda aquí y su enlace está cerrado. Hable con {party} y con la oficina de coordinación; `accept_contradicted` en [link] de node.toml vuelve a abrir el enlace"
        }
        W::Unwitnessed => {
            "desde hace más de cuatro horas muy pocos testigos han cofirmado lo nuevo del registro: ¿funcionan los enlaces con ellos?"
        }
        W::Accused => {
            "{parties}: cerraron el enlace, pues dicen tener pruebas de que el registro de este nodo se contradice. Pare este nodo y averigüe si se puso en marcha una copia más antigua de sus datos (docs/operations.md)"
        }
        W::Unexplained => {
            "el registro de {parties} no explica cómo encajan los puntos de control que se mostraron a otros: pregunte a su operador; puede ocultarse ahí un segundo pasado"
        }
        W::LacksKey => {
            "al llavero de aquí le falta una clave de sellado que otros usan para esta administración ({kid}, publicada de {since} a {until}): lo sellado para ella se rechaza con KEY_GONE, y los nodos de sus emisores lo sellan otra vez cuando este nodo haya publicado una clave más nueva. Ponga en su sitio una copia más nueva del llavero si la hay; si no, publique una clave nueva en el acto con `abeng keys rotate --seal`"
        }
        W::KeyGone => {
            "sobres rechazados desde el arranque por falta de la clave de sellado (KEY_GONE): {count}, el último de {party} el {at}. Los nodos de sus emisores los sellan otra vez en cuanto tengan la clave más nueva de este nodo"
        }
        W::SealKeyWaits => {
            "una clave de sellado nueva espera una copia de seguridad: ejecute `abeng keys backup` o `abeng backup`, o nombre `backup_dir` en [keys] de node.toml"
        }
        W::Unreachable => {
            "nadie puede enviar a esta administración: ninguna clave de sellado suya está en vigor. El nodo publica una por sí mismo donde puede; vea los demás avisos, o `abeng keys rotate --seal`"
        }
        W::SealKeyUnsigned => {
            "la clave org-sign de este nodo está revocada, espera, o no consta en el padrón, así que no se puede firmar con ella ninguna clave de sellado: ponga en su lugar el llavero con la clave que nombra el padrón y arranque el nodo otra vez (docs/operations.md); si la clave solo espera, no hace falta nada"
        }
        W::KeysGoing => {
            "claves que debían destruirse y que aún no han desaparecido o no constan en el registro: {kids}. Se intenta otra vez cada minuto, y el registro de mensajes del nodo dice por qué falló"
        }
        W::KeysCopied => {
            "LAS CLAVES DE SELLADO DE {parties} TIENEN UNA MITAD EN COMÚN: una de esas administraciones ha publicado como suya la de otra, y quien tiene la clave puede leer lo que se sella para la que la copió. A cada una se le sella como ella misma dice. Pregúnteles por teléfono e informe a la Secretaría; la dueña de la clave hace otra con `abeng keys rotate --seal`"
        }
        W::KeysCopiedMore => "lo mismo ocurre con otros grupos de administraciones: {count}",
        W::CopyStays => {
            "en {dir} hay otra copia del llavero, que no se ha sobrescrito; la copia del llavero de este nodo está en {out}: `abeng restore --keys {out}` la toma de allí. Guarde la otra: puede que solo ella abra lo que se selló para sus claves. Cuando esté en un lugar seguro, el nodo pone la suya en {dir} en menos de un minuto"
        }
        W::StaleCopy => {
            "funciona una copia antigua del nodo de {party}: en la vida {life} de su registro, que la vida {newer} ha cerrado. Se la rechaza aquí desde {since} (veces: {count}, la última el {last}), y no se toma nada de ella. Diga a {party}, por otro medio, que apague esa copia para siempre"
        }
        W::NewLife => {
            "{party} comenzó una vida nueva de su registro (vista aquí el {at}): pregunte allí, por otro medio, si se perdió o se cambió su máquina"
        }
        W::TornTail => {
            "en el último arranque se cortó un lote roto de {bytes} bytes en {file}:{offset}"
        }
        W::TilesAhead => {
            "hojas que faltan en el diario y se conocen por las teselas: {count}. Esta puede ser una copia antigua"
        }
        W::EarlierLife => {
            "el diario de una vida anterior está en {dir}: lo que aquí se borra o se retira se queda allí. Cuando esta vida funcione bien, borre ese directorio"
        }
        W::RosterExpires => {
            "días hasta que caduque el padrón: {days}. Pida el siguiente a la Secretaría"
        }
        W::RosterAgeing => {
            "el padrón se confirmó por última vez hace {days} días ({at}): desde entonces no ha llegado ninguna declaración de vigencia. En {left} día(s) los envíos nuevos esperarán a una segunda persona. Obtenga la palabra más nueva: por un enlace con cualquier nodo que la tenga, en un archivo de mensajería (`abeng courier import`) o de la Secretaría (`abeng roster import FILE`)"
        }
        W::RosterPastLimit => {
            "EL PADRÓN SE CONFIRMÓ POR ÚLTIMA VEZ HACE {days} DÍAS ({at}), y el límite es de {limit}: uno más nuevo puede nombrar otros miembros y claves. Los envíos nuevos esperan hasta que una segunda persona los autorice (`abeng release list`); lo que está en camino sigue. Obtenga la palabra más nueva: por un enlace con cualquier nodo que la tenga, en un archivo de mensajería (`abeng courier import`) o de la Secretaría (`abeng roster import FILE`)"
        }
        W::RosterExpired => {
            "EL PADRÓN HA CADUCADO ({at}): en otro lugar rige uno más nuevo, o nadie lo ha hecho. Si esa fecha no es cierta, compruebe el reloj de la máquina (`date -u`). Los envíos nuevos esperan hasta que una segunda persona los autorice (`abeng release list`); lo que está en camino sigue. Obtenga la palabra más nueva: por un enlace con cualquier nodo que la tenga, en un archivo de mensajería (`abeng courier import`) o de la Secretaría (`abeng roster import FILE`)"
        }
        W::PartySuspended => {
            "SEGÚN EL PADRÓN, ESTA ADMINISTRACIÓN ESTÁ SUSPENDIDA O SE HA RETIRADO: desde aquí no se envía nada, y los demás no mantienen enlaces con este nodo. Lo recibido se puede leer, exportar y probar. Pregunte a la Secretaría; un padrón más nuevo se admite sin reiniciar: `abeng roster import FILE`"
        }
        W::OwnKeyFaulty => {
            "OTROS NO CREEN AHORA LO QUE FIRMA LA CLAVE {role} DE ESTE NODO: no consta en el padrón, está revocada o fuera de su plazo. Compruebe el reloj de la máquina (`date -u`); si es correcto, la administración necesita claves nuevas: docs/operations.md, Keys"
        }
        W::DiskLow => "queda menos de 1 GiB libre en el disco del directorio de datos",
        W::KeysPlain => "las claves están guardadas sin cifrar (insecure_plain): solo para pruebas",
        W::NotComing => {
            "números de {party} que no llegarán, pues se perdieron allí: {count} (el primero desde {at}). Puede haber entre ellos avisos para usted: pregunte a {party} qué eran"
        }
        W::StrandedLeft => {
            "avisos que esperan a {party}, que ha dejado la red: {count}. Se quedan aquí, y no van a nadie, hasta que vuelva a participar o caduquen"
        }
        W::StrandedSuspended => {
            "avisos que esperan a {party}, que está suspendido en el padrón: {count}. Se quedan aquí, y no van a nadie, hasta que vuelva a participar o caduquen"
        }
        W::DueSoon => {
            "avisos enviados desde aquí cuyo contenido se borra en menos de 30 días: {count}. `abeng retention list` los nombra; `abeng retention extend` conserva más tiempo la copia propia"
        }
    }
}
