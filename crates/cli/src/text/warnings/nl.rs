use abeng_api::Warned as W;

pub(super) fn words(warned: W) -> &'static str {
    match warned {
        W::SignerTrouble => {
            "DIT KNOOPPUNT KON NIET ONDERTEKENEN toen het dat het laatst probeerde: het token met de ondertekensleutel ondertekent niet. Van hier wordt niets verzonden tot het token terug is en ondertekent (verzend nog eens iets om het te proberen; na een geweigerde PIN moet het knooppunt opnieuw worden gestart); wat komt wordt aangenomen en bewezen als voorheen. De logboeken van het knooppunt zeggen wat het token antwoordde"
        }
        W::TwoRoots => {
            "ER ZIJN TWEE VERSCHILLENDE VERSIES {version} van de wortel, beide goed ondertekend: {held} geldt hier, {other} wordt ernaast bewaard. Iemand ondertekent twee dingen tegelijk: spreek per telefoon met het Secretariaat en de andere administraties"
        }
        W::TwoRosters => {
            "ER ZIJN TWEE VERSCHILLENDE VERSIES {version} van de ledenlijst, beide goed ondertekend: {held} geldt hier, {other} wordt ernaast bewaard. Iemand ondertekent twee dingen tegelijk: spreek per telefoon met het Secretariaat en de andere administraties"
        }
        W::TwoSealKeys => {
            "ER ZIJN TWEE VERSCHILLENDE VERZEGELSLEUTELS {version} van {party}, beide goed ondertekend: {held} geldt hier, {other} wordt ernaast bewaard. Iemand ondertekent twee dingen tegelijk: spreek per telefoon met {party} en het Secretariaat"
        }
        W::RosterNews => {
            "ledenlijst {version} geldt, met veranderingen die hier niemand heeft gezien: {count}. Controleer ze bij wie haar aankondigde, bekijk ze met `abeng roster pending` en zeg het dan: `abeng roster accept`"
        }
        W::NewcomerHolds => {
            "{party} heeft meldingen voor dit knooppunt en is hier nieuw: ze blijven bij {party} tot {until}, of tot u het aanvaardt: `abeng roster accept {way}`"
        }
        W::KeysReplaced => {
            "DE WORTEL HEEFT DE SLEUTELS VAN {party} VERVANGEN. Dit knooppunt gebruikt de nieuwe vanaf {until}. Bel {party} nu: is daar niets verloren, dan staat iemand anders op het punt te lezen wat u daarheen zendt"
        }
        W::KeysReplacedFor => {
            "DE WORTEL HEEFT DE SLEUTELS VAN {party} VERVANGEN (\"{reason}\"). Dit knooppunt gebruikt de nieuwe vanaf {until}. Bel {party} nu: is daar niets verloren, dan staat iemand anders op het punt te lezen wat u daarheen zendt"
        }
        W::ClockDoubted => {
            "de klok wordt betwijfeld: zij is versprongen, of ver van het laatste dat hier bekend is (onzekerheid {minutes} min). Niets verloopt erdoor tot een ander knooppunt haar bevestigt; controleer haar met `date -u`"
        }
        W::ClockWrong => {
            "de klok gaat {minutes} min verkeerd, zoals de meeste andere knooppunten zeggen; hun tijd wordt zolang gebruikt. Zet haar gelijk (`timedatectl`), en zie toe dat de machine de tijd houdt"
        }
        W::BudgetUsed => {
            "de bytes van de dag op betaalde wegen zijn op: tot {until} gaat daarover niets dan FLASH. `abeng link allow` laat vandaag meer toe"
        }
        W::OwnFaults => {
            "bijlagen die van hier zijn verzonden: beschadigd op deze schijf {damaged}, niet meer erop {gone} (van {notices}). Haal `blobs` uit een back-up van de gegevensmap; `abeng attachment list ID` zegt welke het zijn"
        }
        W::Lacked => {
            "bijlagen die niet zijn gekomen en die hun afzenders niet kunnen geven: niet meer daar {gone}, beschadigd op hun schijven {damaged}. `abeng attachment list ID` zegt van wie ze zijn; vraag hun `blobs` uit een back-up te halen, of het bestand opnieuw te zenden"
        }
        W::OwnBudget => {
            "bestanden die wachten op de bytes van de dag van dit knooppunt op betaalde wegen: te komen {come}, te verzenden {go}; ze gaan verder op {until}, of na `abeng link allow` hier"
        }
        W::OwnBudgetSmall => {
            "bestanden die wachten op de bytes van de dag van dit knooppunt op betaalde wegen: te komen {come}, te verzenden {go}; het budget van een dag heeft misschien geen plaats voor een stuk ervan (tot {piece_bytes}, naast wat voor FLASH wordt bewaard). Verhoog `budget` in [link.metered], of gebruik `abeng link allow`"
        }
        W::TheirBudget => {
            "bestanden die wachten op de bytes van de dag bij andere knooppunten: te komen {come}; ze gaan verder vanaf hun morgen, of na `abeng link allow` daar; `abeng attachment list ID` zegt wiens dag het is"
        }
        W::BlobsDamaged => {
            "bestanden van bijlagen die op deze schijf beschadigd waren en terzijde zijn gelegd: {count} ({first}). Ze komen opnieuw van hun afzenders zolang die ze hebben. Laat de schijf nakijken; wis wat terzijde ligt als het geen nut meer heeft"
        }
        W::HeldDamaged => {
            "de vastgehouden indiening {id} kan niet worden geopend: {file} is veranderd of beschadigd. Zij wordt niet verzonden. Wie haar indiende kan haar opnieuw indienen; `abeng release deny {id} --reason TEKST` neemt haar weg"
        }
        W::HeldEarlier => {
            "indieningen die op vrijgave wachten sinds vóór dit leven van het log: {count}. Wat na de back-up is vrijgegeven kan verzonden zijn. Kijk met `abeng sent`, en vraag het de ontvangers, voor u vrijgeeft: `abeng release list`"
        }
        W::Contradicted => {
            "het log van {party} spreekt zichzelf tegen: het bewijs wordt hier bewaard en de verbinding is gesloten. Spreek met {party} en het coördinatiebureau; `accept_contradicted` in [link] van node.toml opent de verbinding weer"
        }
        W::Unwitnessed => {
            "al meer dan vier uur hebben te weinig getuigen medeondertekend wat nieuw is in het log: werken de verbindingen met hen?"
        }
        W::Accused => {
            "{parties}: daar is de verbinding gesloten, en er zou bewijs zijn dat het log van dit knooppunt zichzelf tegenspreekt. Stop dit knooppunt en zoek uit of een oudere kopie van zijn gegevens is gestart (docs/operations.md)"
        }
        W::Unexplained => {
            "het log van {parties} legt niet uit hoe controlepunten die aan anderen zijn getoond samengaan: vraag de beheerder ervan; er kan een tweede verleden achter schuilen"
        }
        W::LacksKey => {
            "de sleutelbos hier mist een verzegelsleutel die anderen voor deze administratie gebruiken ({kid}, gepubliceerd van {since} tot {until}): wat ervoor is verzegeld wordt geweigerd met KEY_GONE, en de knooppunten van de afzenders verzegelen het opnieuw zodra dit knooppunt een nieuwere sleutel heeft gepubliceerd. Zet een nieuwere kopie van de sleutelbos op zijn plaats als die er is; publiceer anders meteen een nieuwe sleutel met `abeng keys rotate --seal`"
        }
        W::KeyGone => {
            "enveloppen die sinds de start zijn geweigerd omdat de verzegelsleutel ontbreekt (KEY_GONE): {count}, de laatste van {party} op {at}. De knooppunten van de afzenders verzegelen ze opnieuw zodra ze de nieuwere sleutel van dit knooppunt hebben"
        }
        W::SealKeyWaits => {
            "een nieuwe verzegelsleutel wacht op een back-up: voer `abeng keys backup` of `abeng backup` uit, of noem `backup_dir` in [keys] van node.toml"
        }
        W::Unreachable => {
            "niemand kan naar deze dienst zenden: geen verzegelsleutel ervan is van kracht. Het knooppunt maakt er zelf een bekend waar het kan; zie de andere waarschuwingen, of `abeng keys rotate --seal`"
        }
        W::SealKeyUnsigned => {
            "de org-sign-sleutel van dit knooppunt is ingetrokken, wacht, of staat niet in de ledenlijst, zodat er geen verzegelsleutel mee kan worden ondertekend: zet de sleutelbos met de sleutel uit de ledenlijst op de plaats van deze, en start het knooppunt opnieuw (docs/operations.md); wacht de sleutel alleen, dan is niets nodig"
        }
        W::KeysGoing => {
            "sleutels die vernietigd moesten worden en nog niet weg zijn of nog niet in het logboek staan: {kids}. Elke minuut wordt het opnieuw geprobeerd, en de meldingen van het knooppunt zeggen waarom het mislukte"
        }
        W::KeysCopied => {
            "DE VERZEGELSLEUTELS VAN {parties} HEBBEN EEN HELFT GEMEEN: een van die diensten heeft de sleutel van een ander als de eigen bekendgemaakt, en wie de sleutel heeft, kan lezen wat wordt verzegeld voor wie hem overnam. Voor elk wordt verzegeld zoals die zelf zegt. Vraag hun telefonisch, en zeg het het Secretariaat; van wie de sleutel is, maakt een andere met `abeng keys rotate --seal`"
        }
        W::KeysCopiedMore => "zo is het met nog andere groepen diensten: {count}",
        W::CopyStays => {
            "in {dir} ligt een andere kopie van de sleutelbos, die niet is overschreven; de kopie van de sleutelbos van dit knooppunt ligt in {out}: `abeng restore --keys {out}` haalt haar daar. Bewaar de andere: misschien opent alleen zij wat voor haar sleutels is verzegeld. Ligt zij eenmaal op een veilige plaats, dan zet het knooppunt de zijne binnen een minuut in {dir}"
        }
        W::StaleCopy => {
            "er draait een oude kopie van het knooppunt van {party}: in het leven {life} van zijn log, dat het leven {newer} heeft gesloten. Zij wordt hier geweigerd sinds {since} (aantal keren: {count}, het laatst op {last}), en er wordt niets van aangenomen. Zeg {party}, langs een andere weg, die kopie voorgoed uit te zetten"
        }
        W::NewLife => {
            "{party} begon een nieuw leven van zijn log (hier gezien op {at}): vraag daar, langs een andere weg, of de machine verloren of vervangen is"
        }
        W::TornTail => {
            "bij de laatste start is een gescheurde batch van {bytes} bytes afgesneden bij {file}:{offset}"
        }
        W::TilesAhead => {
            "bladen die in het journaal ontbreken en uit de tegels bekend zijn: {count}. Dit kan een oude kopie zijn"
        }
        W::EarlierLife => {
            "het journaal van een eerder leven ligt in {dir}: wat hier wordt gewist of teruggeroepen blijft daar staan. Loopt dit leven goed, wis dan die map"
        }
        W::RosterExpires => {
            "dagen tot de ledenlijst verloopt: {days}. Vraag het Secretariaat om de volgende"
        }
        W::RosterAgeing => {
            "de ledenlijst is {days} dagen geleden voor het laatst bevestigd ({at}): sindsdien is er geen verklaring van actualiteit gekomen. Over {left} dag(en) wachten nieuwe indieningen op een tweede persoon. Haal de nieuwste verklaring: over een verbinding met elk knooppunt dat haar heeft, met een koeriersbestand (`abeng courier import`), of bij het Secretariaat (`abeng roster import FILE`)"
        }
        W::RosterPastLimit => {
            "DE LEDENLIJST IS {days} DAGEN GELEDEN VOOR HET LAATST BEVESTIGD ({at}), en de grens is {limit}: een nieuwere kan andere leden en sleutels noemen. Nieuwe indieningen wachten tot een tweede persoon ze vrijgeeft (`abeng release list`); wat onderweg is, gaat door. Haal de nieuwste verklaring: over een verbinding met elk knooppunt dat haar heeft, met een koeriersbestand (`abeng courier import`), of bij het Secretariaat (`abeng roster import FILE`)"
        }
        W::RosterExpired => {
            "DE LEDENLIJST IS VERLOPEN ({at}): elders geldt een nieuwere, of niemand heeft er een gemaakt. Klopt die datum niet, controleer dan de klok van de machine (`date -u`). Nieuwe indieningen wachten tot een tweede persoon ze vrijgeeft (`abeng release list`); wat onderweg is, gaat door. Haal de nieuwste verklaring: over een verbinding met elk knooppunt dat haar heeft, met een koeriersbestand (`abeng courier import`), of bij het Secretariaat (`abeng roster import FILE`)"
        }
        W::PartySuspended => {
            "VOLGENS DE LEDENLIJST IS DEZE DIENST GESCHORST OF UITGETREDEN: van hier wordt niets verzonden, en anderen houden geen verbinding met dit knooppunt. Wat er is, kan worden gelezen, uitgevoerd en bewezen. Vraag het Secretariaat; een nieuwere lijst wordt zonder herstart aangenomen: `abeng roster import FILE`"
        }
        W::OwnKeyFaulty => {
            "ANDEREN GELOVEN NU NIET WAT DE SLEUTEL {role} VAN DIT KNOOPPUNT ONDERTEKENT: hij staat niet in de ledenlijst, is ingetrokken of buiten zijn termijn. Controleer de klok van de machine (`date -u`); klopt die, dan heeft de dienst nieuwe sleutels nodig: docs/operations.md, Keys"
        }
        W::DiskLow => "er is minder dan 1 GiB vrij op de schijf van de gegevensmap",
        W::KeysPlain => "de sleutels liggen onversleuteld (insecure_plain): alleen voor proeven",
        W::NotComing => {
            "nummers van {party} die niet komen, want daar verloren: {count} (het eerste sinds {at}). Er kunnen meldingen voor u bij zijn: vraag {party} wat het was"
        }
        W::StrandedLeft => {
            "meldingen die wachten op {party}, dat het netwerk heeft verlaten: {count}. Ze blijven hier, en gaan naar niemand, tot het weer meedoet of ze verlopen"
        }
        W::StrandedSuspended => {
            "meldingen die wachten op {party}, dat in de ledenlijst is geschorst: {count}. Ze blijven hier, en gaan naar niemand, tot het weer meedoet of ze verlopen"
        }
        W::DueSoon => {
            "meldingen die van hier zijn verzonden en waarvan de inhoud binnen 30 dagen wordt gewist: {count}. `abeng retention list` noemt ze, `abeng retention extend` bewaart de eigen kopie langer"
        }
    }
}
