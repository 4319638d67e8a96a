use super::Words;
use abeng_api::Cause as C;

pub(super) fn words(cause: C) -> Words {
    match cause {
        C::NotAnId => (
            "`{given}` is niet het kenmerk van een melding",
            "geef de 64 hexadecimale cijfers, of de eerste 8 of meer; `abeng sent list` en `abeng inbox list` tonen ze",
        ),
        C::UnknownId => (
            "geen melding hier heeft een kenmerk dat met {digits} begint",
            "`abeng sent list` en `abeng inbox list` tonen de kenmerken",
        ),
        C::AmbiguousId => (
            "meer dan één melding heeft een kenmerk dat met {digits} begint",
            "geef meer cijfers",
        ),
        C::NotInInbox => (
            "{id} is niet in het postvak",
            "`abeng track` toont wat van hier is verzonden; `abeng inbox list` wat is gekomen",
        ),
        C::NotSentHere => (
            "{id} is niet van hier verzonden",
            "`abeng inbox show` toont wat van anderen is gekomen",
        ),
        C::Deleted => (
            "de inhoud is gewist; wie het zond, wanneer, en alle ontvangstbewijzen blijven",
            "`abeng audit show --notice ID` toont elk blad erover",
        ),
        C::DeletedOn => (
            "de inhoud is op {day} gewist; wie het zond, wanneer, en alle ontvangstbewijzen blijven",
            "`abeng audit show --notice ID` toont elk blad erover",
        ),
        C::DeletedRecalled => (
            "de inhoud is op {day} gewist omdat de afzender het terugriep; wie het zond, wanneer, en alle ontvangstbewijzen blijven",
            "`abeng audit show --notice ID` toont elk blad erover",
        ),
        C::DeletedKept => (
            "de inhoud is op {day} gewist omdat de bewaartijd om was; wie het zond, wanneer, en alle ontvangstbewijzen blijven",
            "`abeng audit show --notice ID` toont elk blad erover",
        ),
        C::TakenBack => (
            "de afzender heeft het teruggeroepen: de inhoud wordt niet meer getoond en binnen het uur gewist",
            "",
        ),
        C::NoContent => (
            "{id} heeft hier geen inhoud",
            "`abeng inbox list` toont wat is afgeleverd, `abeng sent list` wat is verzonden",
        ),
        C::RefusedHere => ("{id} is hier geweigerd: er is geen inhoud", ""),
        C::Stopping => (
            "het knooppunt is aan het stoppen",
            "geef dezelfde opdracht over {seconds} s opnieuw",
        ),
        C::Overloaded => (
            "het knooppunt heeft meer te doen dan het aankan",
            "geef dezelfde opdracht over {seconds} s opnieuw",
        ),
        C::NobodyKnows => (
            "het knooppunt eindigde voordat het kon zeggen of de melding was aangenomen",
            "start het, en kijk met `abeng sent list` voordat u opnieuw verzendt",
        ),
        C::PastOlder => (
            "dit knooppunt verzendt niets: elders zijn {theirs} bladen van dit log bekend, en hier zijn er {ours}; dit is een oudere kopie van de gegevens",
            PAST,
        ),
        C::PastTwice => (
            "dit knooppunt verzendt niets: elders zijn de eerste {size} bladen van dit log andere dan hier; het is tweemaal gestart",
            PAST,
        ),
        C::PastNewer => (
            "dit knooppunt verzendt niets: elders is een nieuwer leven van dit log begonnen, {life}",
            PAST,
        ),
        C::PastUnknown => (
            "dit knooppunt verzendt niets: de envelop {id} is in dit leven van het log verzonden, dat haar niet kent",
            PAST,
        ),
        C::PastBefore => (
            "dit knooppunt verzendt niets: eerder is bewezen dat dit log verder gaat op een verleden dat niet het nieuwste is",
            PAST,
        ),
        C::NoRoomQuota => (
            "niet aangenomen: de gegevensmap neemt {used_bytes} in van de {disk_bytes} die mag; daarvan moet {needed_bytes} over zijn voordat er iets nieuws wordt aangenomen, en er is {left_bytes} over: {short_bytes} of meer komt tekort",
            "verhoog `disk` of verlaag `reserve` onder [quota] in node.toml, of wis wat niet bewaard hoeft te blijven (`abeng retention`)",
        ),
        C::NoRoomDisk => (
            "niet aangenomen: op de schijf moet {needed_bytes} vrij zijn voordat er iets nieuws wordt aangenomen, en er is {free_bytes} vrij: maak {short_bytes} of meer vrij",
            "maak plaats op de schijf van de gegevensmap, of verplaats haar naar een grotere; er is niets verloren, en wat in de rij staat gaat door",
        ),
        C::KeyUnusable => (
            "dit knooppunt verzendt niets: volgens de ledenlijst en de klok aanvaarden anderen zijn handtekeningsleutel niet",
            "controleer de klok van de machine (`date -u`); klopt die, dan heeft de dienst nieuwe sleutels nodig: zeg het uw beheerder",
        ),
        C::RosterChanged => (
            "de ledenlijst veranderde terwijl de melding werd verzegeld, en staat het niet meer toe",
            "bekijk de ontvangers met `abeng status` en verzend opnieuw",
        ),
        C::NoPrecedence => (
            "`{given}` is geen prioriteit",
            "gebruik FLASH, IMMEDIATE, PRIORITY of ROUTINE",
        ),
        C::BadLife => (
            "de levertijd is {hours} uur; het moet 1 tot 2160 zijn (90 dagen)",
            "",
        ),
        C::RecallSubmitted => (
            "een terugroeping gaat precies naar wie de melding hebben",
            "`abeng recall ID --reason CODE` maakt haar",
        ),
        C::Flawed => (
            "er zitten fouten in de melding; zij is niet verzonden",
            "verbeter elk veld dat wordt genoemd; wat een twijfel is mag blijven",
        ),
        C::DraftUnreadable => (
            "de melding kan niet worden gelezen",
            "`abeng submit seizure --dry-run -f BESTAND` toont waar; docs/notices.md noemt elk veld",
        ),
        C::SignerFails => (
            "de melding is niet verzonden: de ondertekensleutel kan nu niet worden gebruikt",
            "vraag de beheerder naar het token met de ondertekensleutel te kijken (`abeng status` zegt wat eraan schort), en verzend opnieuw",
        ),
        C::SealingFailed => (
            "het verzegelen is mislukt en er is niets verzonden",
            "vraag de beheerder in de logboeken van het knooppunt te kijken",
        ),
        C::ReleaseId => (
            "wat wordt vastgehouden heet naar 8 tot 32 hexadecimale cijfers van zijn kenmerk",
            "`abeng release list` toont de kenmerken",
        ),
        C::ReleaseAmbiguous => (
            "meer dan één vastgehouden indiening heeft een kenmerk dat zo begint",
            "geef meer cijfers",
        ),
        C::ReleaseNone => (
            "er wacht hier geen indiening met dit kenmerk: zij is vrijgegeven of afgewezen, of heeft nooit gewacht",
            "`abeng release list` toont wat wacht, `abeng audit show --kind ADMIN` wat er is beslist",
        ),
        C::ReleaseTaken => (
            "iemand anders beslist er op dit moment over",
            "kijk zo dadelijk opnieuw met `abeng release list`; blijft het zo, start dan het knooppunt opnieuw",
        ),
        C::ReleaseDamaged => (
            "de vastgehouden indiening {id} kan niet worden geopend: haar bestand is veranderd of beschadigd",
            "zij wordt niet verzonden; wijs haar af en laat haar opnieuw indienen",
        ),
        C::ReleaseDisk => (
            "vastgehouden indieningen kunnen niet worden gelezen of geschreven",
            "controleer de schijf van de gegevensmap; de logboeken van het knooppunt zeggen meer",
        ),
        C::ReleaseOwn => (
            "wie een melding heeft ingediend kan haar niet vrijgeven: het knooppunt kent mensen aan hun gebruikersnummer, en beide hebben hetzelfde",
            "iemand anders die mag vrijgeven moet het doen, onder een eigen gebruiker; u kunt haar intrekken met `abeng release deny`",
        ),
        C::NotReleaser => (
            "{who} mag niet vrijgeven wat anderen hebben ingediend",
            "dat mogen {releasers}, over de Unix-socket en ieder onder een eigen gebruiker; wie het heeft ingediend kan het intrekken met `abeng release deny`",
        ),
        C::NoReleasers => (
            "{who} mag niet vrijgeven wat anderen hebben ingediend, en ook niemand anders",
            "node.toml noemt niemand die het mag: `releasers` in [policy.dual_control]; wat alleen om de ouderdom van de ledenlijst wacht, mag elke andere gebruiker vrijgeven, over de Unix-socket",
        ),
        C::ReleaseOthers => (
            "het zou nu naar andere ontvangers gaan dan zijn getoond: naar {to}",
            "bekijk het opnieuw met `abeng release show`, en geef het dan vrij",
        ),
        C::ReleaseFile => (
            "het bestand {name} staat niet meer op deze schijf",
            "wijs het af en laat het opnieuw indienen met de bestanden",
        ),
        C::ReleaseUnknown => (
            "het knooppunt stopte voordat het kon zeggen wat ervan is geworden",
            "start het en kijk met `abeng release list`",
        ),
        C::ReleaseUnproved => (
            "een tweede persoon moet deze melding vrijgeven, en over TCP weet het knooppunt niet wie haar indient",
            "dien haar in over de Unix-socket, waar het systeem zegt wie het is",
        ),
        C::ReleaseFullOwn => (
            "er wachten al {count} indieningen van u op vrijgave, en er worden er van u niet meer aangenomen",
            "laat wie mag vrijgeven erover beslissen, of trek er in: `abeng release list`",
        ),
        C::ReleaseFull => (
            "er wachten al {count} indieningen op vrijgave, en er worden er niet meer aangenomen",
            "vraag wie mag vrijgeven erover te beslissen: `abeng release list`",
        ),
        C::StillWaits => ("niet vrijgegeven, het blijft wachten", ""),
        C::HalfReleased => (
            "wat opnieuw verzegeld werd is al teruggeroepen (exemplaren: {copies}); de terugroeping zelf is niet verzonden en blijft wachten, ze nogmaals vrijgeven maakt het af",
            "",
        ),
        C::OfficerReference => (
            "het kenmerk van een ambtenaar heeft 1 tot {limit} tekens",
            "",
        ),
        C::UnknownRecipient => ("niemand hier heet `{code}`", "de leden zijn {members}"),
        C::UnknownRecipientNear => (
            "niemand hier heet `{code}`; bedoelt u {near}?",
            "de leden zijn {members}",
        ),
        C::RepeatedRecipient => (
            "{code} is tweemaal als ontvanger genoemd; noem die eenmaal",
            "",
        ),
        C::Yourself => (
            "{code} bent u zelf; uw eigen kopie blijft bij wat verzonden is",
            "",
        ),
        C::Inactive => (
            "{code} doet nu niet mee (geschorst of vertrokken); vraag {ask}",
            "",
        ),
        C::Newcomer => (
            "{code} is nieuw in dit netwerk en krijgt hier pas op {until} zijn rechten; vraag een beheerder van dit knooppunt, die het eerder kan aanvaarden: abeng roster accept --party {code}",
            "",
        ),
        C::NewInGroup => (
            "{code} is nieuw in de groep {group} en krijgt hier pas op {until} de rechten van die groep; vraag een beheerder van dit knooppunt, die het eerder kan aanvaarden: abeng roster accept --group {group}",
            "",
        ),
        C::GrantedUpTo => (
            "{from} mag {type} met {tlp} niet aan {to} zenden: de rechten reiken tot {highest}; vraag {ask}",
            "",
        ),
        C::NotGranted => (
            "{from} mag {type} met {tlp} niet aan {to} zenden: geen recht van ledenlijst {roster} dekt het; vraag {ask}",
            "",
        ),
        C::NoSealKey => (
            "er is geen zegelsleutel van {code} die nu geldt; hij komt met het volgende contact, of vraag {code}",
            "",
        ),
        C::NotAllowed => (
            "de regels laten niet toe dat het zo wordt verzonden",
            "`abeng policy explain --to PARTIJ --type TYPE` toont welke regel",
        ),
        C::NotAllowedUnknown => ("zo wordt het niet verzonden", "de leden zijn {members}"),
        C::TooManyRecipients => (
            "{found} ontvangers is te veel, ten hoogste {limit}; verzend het in delen",
            "",
        ),
        C::NoRecipient => (
            "er is geen ontvanger over; noem ten minste één andere administratie",
            "",
        ),
        C::UnknownParty => (
            "geen administratie heet `{given}`",
            "de leden zijn {members}",
        ),
        C::InactiveParty => (
            "{given} doet niet mee: geschorst of vertrokken",
            "de leden zijn {members}",
        ),
        C::OwnParty => (
            "{given} is de administratie van dit knooppunt",
            "de leden zijn {members}",
        ),
        C::UnknownType => (
            "`{given}` is geen soort melding",
            "de soorten die deze versie kent zijn {types}",
        ),
        C::UnknownTlp => (
            "`{given}` is geen TLP-label",
            "gebruik CLEAR, GREEN, AMBER, AMBER+STRICT of RED",
        ),
        C::RecallNotOwn => (
            "{id} is niet van hier verzonden: alleen de afzender kan het terugroepen",
            "`abeng sent list` toont wat van hier is verzonden",
        ),
        C::RecallOfRecall => (
            "een terugroeping kan niet worden teruggeroepen",
            "verzend de melding opnieuw als zij bij vergissing is teruggeroepen",
        ),
        C::RecallNobody => (
            "niemand heeft haar: elke ontvanger heeft haar geweigerd, laten verlopen of al gewist",
            "`abeng track` toont wat ervan werd",
        ),
        C::HeldAlready => (
            "{id}: wordt al vastgehouden",
            "`abeng hold list` toont wat wordt vastgehouden, sinds wanneer en waarom",
        ),
        C::NotHeld => (
            "{id}: wordt niet vastgehouden",
            "`abeng hold list` toont wat wordt vastgehouden, sinds wanneer en waarom",
        ),
        C::Crossed => (
            "op hetzelfde moment werd er iets anders mee gedaan",
            "bekijk het opnieuw en probeer het dan weer",
        ),
        C::ReasonNeeded => (
            "er is een reden nodig, van ten hoogste 1000 bytes",
            "--reason \"zaak 2026/117, bevel van de rechtbank van 3 mei\"",
        ),
        C::BadKeepDate => (
            "de nieuwe datum is er geen, is voorbij of ligt meer dan tien jaar vooruit",
            "schrijf een datum zoals 2031-12-31, of een duur zoals 365d",
        ),
        C::KeptByOther => (
            "{id} kwam van een andere administratie, die zegt hoe lang het bewaard blijft",
            "wettelijk vasthouden bewaart het: `abeng hold place ID --reason TEKST`",
        ),
        C::KeptLonger => (
            "het blijft al ten minste zo lang bewaard",
            "`abeng retention list --all` toont de data",
        ),
        C::AttachmentEmpty => (
            "een leeg bestand kan niet worden bijgevoegd",
            "kies een ander bestand, of verzend de melding zonder",
        ),
        C::AttachmentName => (
            "`{name}` kan niet de naam van een bijlage zijn",
            "hernoem het bestand: ten hoogste 255 bytes, geen / \\ : * ? \" < > |, geen punt of streepje vooraan",
        ),
        C::AttachmentTooLong => (
            "het bestand is langer dan een bijlage kan zijn: 2 GiB",
            "splits het, comprimeer het of stuur het op een schijf",
        ),
        C::AttachmentsWait => (
            "te veel bestanden wachten op de meldingen waar zij bij horen",
            "verzend die meldingen, of wacht: na een dag worden zij vergeten",
        ),
        C::AttachmentUsed => (
            "een bestand van de melding is intussen voor een andere gebruikt",
            "verzend opnieuw, met het bestand",
        ),
        C::NoSuchAttachment => (
            "de melding heeft die bijlage niet",
            "`abeng attachment list ID` toont welke zij heeft",
        ),
        C::AttachmentTomorrow => (
            "de bijlage is nog niet hier: {here_bytes} van {all_bytes} is gekomen",
            "de bytes van vandaag over betaalde paden zijn niet genoeg voor het volgende deel: het gaat morgen verder, of na `abeng link allow` hier",
        ),
        C::AttachmentTomorrowThere => (
            "de bijlage is nog niet hier: {here_bytes} van {all_bytes} is gekomen",
            "de bytes van vandaag bij {party} zijn niet genoeg voor het volgende deel: het gaat morgen verder, of na `abeng link allow` op het knooppunt van {party}",
        ),
        C::AttachmentAsked => (
            "de bijlage is nog niet hier: {here_bytes} van {all_bytes} is gekomen",
            "er is nu om gevraagd; wacht en probeer het weer ({party} is verbonden)",
        ),
        C::AttachmentUnlinked => (
            "de bijlage is nog niet hier: {here_bytes} van {all_bytes} is gekomen",
            "zij komt zodra {party} weer verbonden is, of een relais dat de melding droeg",
        ),
        C::CourierBusy => (
            "er wordt al een ander koeriersbestand gemaakt of ingelezen",
            "wacht tot dat klaar is",
        ),
        C::CourierLimit => (
            "een grens van {limit_bytes} laat geen plaats voor een melding: de sleutels van de leden nemen alleen al {fixed_bytes}",
            "geef een --limit boven {fixed}, of geen",
        ),
        C::CourierNetwork => (
            "het koeriersbestand is van het netwerk `{other}`, en dit knooppunt is van `{network}`",
            "lees het in op een knooppunt van dat netwerk",
        ),
        C::CourierNamesake => (
            "het koeriersbestand is van een ander netwerk, dat ook `{network}` heet: zijn eerste wortel is {theirs}, en die van dit knooppunt is {ours}",
            "lees het in op een knooppunt van dat netwerk; `abeng status` toont daar dezelfde wortel",
        ),
        C::CourierForOther => (
            "het koeriersbestand is voor {to}, en dit is het knooppunt van {me}",
            "breng het naar {to} en draai daar `abeng courier import`",
        ),
        C::CourierMadeHere => (
            "het koeriersbestand is voor {to}, en dit is het knooppunt van {me}, waar het is gemaakt",
            "breng het naar {to} en draai daar `abeng courier import`",
        ),
        C::CourierNobody => ("het koeriersbestand noemt geen administratie", ""),
        C::CourierNone => (
            "dit is geen koeriersbestand",
            "geef het bestand dat `abeng courier export` schreef",
        ),
        C::CourierVersion => (
            "het koeriersbestand is van een versie die hier niet bekend is",
            "werk dit knooppunt bij, of vraag de afzender met dezelfde versie te schrijven",
        ),
        C::CourierDamaged => (
            "het koeriersbestand is beschadigd",
            "kopieer het opnieuw naar de stick, of vraag de afzender het opnieuw te schrijven",
        ),
        C::NoBudget => (
            "geen pad hier heeft een budget",
            "`budget` onder [link.metered] in node.toml stelt er een in",
        ),
        C::Stranger => (
            "gebruiker {uid} mag de socket van dit knooppunt niet gebruiken",
            "vraag de beheerder van het knooppunt u in de groep van de socket op te nemen",
        ),
        C::NotCoordination => (
            "{party} is geen coördinerende partij: alleen die horen hoe het met alle knooppunten gaat",
            "gebruik hier `abeng status`, of vraag {offices}",
        ),
        C::SocketAbsent => (
            "hier draait geen knooppunt: er is geen socket op {path}",
            START,
        ),
        C::SocketSilent => (
            "hier draait geen knooppunt: niemand luistert op {path}",
            START,
        ),
        C::SocketNone => ("{path} is geen socket", OWN),
        C::SocketOpenToAll => (
            "{path} is niet te vertrouwen: de modus laat elke gebruiker toe",
            OWN,
        ),
        C::SocketOfOther => ("wat op {path} luistert is geen Abeng-knooppunt", OWN),
        C::SocketDenied => (
            "deze gebruiker mag {path} niet gebruiken",
            "vraag de beheerder van het knooppunt u in de groep van de socket op te nemen",
        ),
        C::NodeUnreachable => (
            "het knooppunt op {address} is niet te bereiken: {why}",
            "controleer of het knooppunt draait",
        ),
        C::AnswerUnusable => (
            "het antwoord van het knooppunt is onbruikbaar: {what}",
            "bekijk `abeng sent list` voordat u een verzending herhaalt, en de logboeken van het knooppunt",
        ),
    }
}

const PAST: &str = "verzend met de andere kopie van dit knooppunt. Waarschuw uw beheerder: meestal moet deze kopie worden uitgezet; `abeng status` zegt welke en hoe het verder gaat";
const START: &str = "start het knooppunt (`abeng node run --config node.toml`), of noem het juiste met --data MAP, --socket PAD of ABENG_SOCKET";
const OWN: &str = "noem de eigen socket van het knooppunt met --socket PAD; het is `abeng.sock` in de gegevensmap van het knooppunt";
