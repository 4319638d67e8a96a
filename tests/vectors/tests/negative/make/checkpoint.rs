use super::{
    Book,
    freshness::with_order_added,
    receipt::{Log, flipped_signature, origin},
    wrong,
};
use crate::{
    file::Breaks::{self, Encoding, Limit, Place, Rule, Seal, Signature},
    fixture::{LIFE, NOW, Net},
};
use abeng_keys::Signer;
use abeng_roster::digest;
use abeng_wire::LeafHash;
use bytes::Bytes;
use data_encoding::BASE64;

const LOG: u8 = 0x01;
const WITNESS: u8 = 0x04;

pub fn make(net: &Net, book: &mut Book) {
    let log = Log((0..7).map(|i| LeafHash(digest(&[i]).0)).collect());
    book.begin("checkpoint", &["roster-1"]);
    book.against().ask = Some("log".into());
    let good = of_log(net, &log, 5);
    book.good(
        "good",
        "Five leaves of TT's log, signed by its key.",
        good.as_bytes(),
    );
    form(book, &good);
    head(net, book, &log);
    signed(net, book, &good);
    cosigned(net, book, &log, &good);
    grown(net, book, &log);
}

/// C2SP signed-note: `SHA-256(name ‖ "\n" ‖ type ‖ key)`, its first 4 bytes, before the signature.
fn line(name: &str, kind: u8, signer: &dyn Signer, signature: &[u8]) -> String {
    let id = digest(&[name.as_bytes(), b"\n", &[kind], signer.verify_key().bytes()].concat()).0;
    format!(
        "— {name} {}\n",
        BASE64.encode(&[&id[..4], signature].concat())
    )
}

fn text(origin: &str, size: &str, root: &LeafHash) -> String {
    format!("{origin}\n{size}\n{}\n", BASE64.encode(&root.0))
}

/// A text with the line of TT's log key under it, in the name of its first line.
fn note(net: &Net, text: &str) -> String {
    let signer = net.keys("TT").log();
    let name = text.lines().next().unwrap();
    let signature = signer.sign_message(text.as_bytes()).unwrap();
    format!("{text}\n{}", line(name, LOG, &**signer, &signature))
}

fn of_log(net: &Net, log: &Log, size: u64) -> String {
    note(
        net,
        &text(&origin("TT"), &size.to_string(), &log.root(size)),
    )
}

/// Lines of others, which nobody looks at but for their form.
fn form(book: &mut Book, good: &str) {
    let mut put = |name: &str, breaks: Breaks, what: &str, rule: &str, bytes: &[u8]| {
        book.bad(name, wrong(breaks, what, &format!("form: {rule}")), bytes);
    };
    let long = format!("{good}— somebody {}\n", BASE64.encode(&[7; 3000]));
    put(
        "too-long",
        Limit,
        "A line of somebody else makes it longer than 4,096 bytes.",
        "it is too long",
        long.as_bytes(),
    );
    put(
        "not-utf-8",
        Encoding,
        "A line of somebody else has a byte that is not UTF-8.",
        "it is UTF-8",
        &[good.as_bytes(), b"\xe2\x80\x94 some\xffbody AAAAAAA=\n"].concat(),
    );
    put(
        "control-character",
        Encoding,
        "A line of somebody else has a tab in its name.",
        "it has no control characters",
        format!("{good}— some\tbody AAAAAAA=\n").as_bytes(),
    );
    put(
        "carriage-returns",
        Encoding,
        "Its lines end as on other systems.",
        "it has no control characters",
        good.replace('\n', "\r\n").as_bytes(),
    );
    put(
        "no-blank-line",
        Encoding,
        "No blank line stands between text and signature.",
        "a blank line ends its text",
        good.replace("\n\n", "\n").as_bytes(),
    );
    let bare = format!("{}\n", good.split("\n\n").next().unwrap());
    put(
        "no-newline-at-its-end",
        Encoding,
        "Its last newline is missing.",
        "a newline ends it",
        good.trim_end().as_bytes(),
    );
    put(
        "no-signatures-at-all",
        Signature,
        "Nothing stands below the blank line.",
        "a newline ends it",
        format!("{bare}\n").as_bytes(),
    );
    let dash = "a signature line is `— name base64`";
    put(
        "hyphen-for-a-dash",
        Encoding,
        "Its signature line begins with a hyphen.",
        dash,
        good.replace("— ", "- ").as_bytes(),
    );
    put(
        "line-without-a-name",
        Encoding,
        "A line of somebody else has no name.",
        dash,
        format!("{good}—  AAAAAAA=\n").as_bytes(),
    );
    put(
        "line-with-a-plus-in-its-name",
        Encoding,
        "A line of somebody else has a plus in its name.",
        dash,
        format!("{good}— some+body AAAAAAA=\n").as_bytes(),
    );
    put(
        "line-of-four-bytes",
        Encoding,
        "A line of somebody else has a key ID and no signature.",
        dash,
        format!("{good}— somebody AAAAAA==\n").as_bytes(),
    );
    put(
        "line-with-loose-base64",
        Encoding,
        "A line of somebody else has base64 with bits left over that are not zero.",
        dash,
        format!("{good}— somebody AAAAAAB=\n").as_bytes(),
    );
    put(
        "lines-65",
        Limit,
        "It has 65 lines.",
        "it has too many signatures",
        format!("{good}{}", "— x AAAAAAA=\n".repeat(64)).as_bytes(),
    );
}

/// Its three lines, signed as they stand.
fn head(net: &Net, book: &mut Book, log: &Log) {
    let (own, root) = (origin("TT"), log.root(5));
    let mut put = |name: &str, breaks: Breaks, what: &str, refused: &str, text: String| {
        book.bad(
            name,
            wrong(breaks, what, refused),
            note(net, &text).as_bytes(),
        );
    };
    let three = "form: it has three lines and no extension";
    put(
        "extension-line",
        Rule,
        "Its text has a fourth line.",
        three,
        format!("{}more\n", text(&own, "5", &root)),
    );
    put(
        "two-lines",
        Rule,
        "Its text has no root.",
        three,
        format!("{own}\n5\n"),
    );
    let rooted = "form: its third line is a root of 32 bytes in base64";
    put(
        "root-of-31-bytes",
        Rule,
        "Its root has 31 bytes.",
        rooted,
        format!("{own}\n5\n{}\n", BASE64.encode(&root.0[1..])),
    );
    put(
        "root-in-hex",
        Encoding,
        "Its root is in hex.",
        rooted,
        format!("{own}\n5\n{root}\n"),
    );
    put(
        "root-without-padding",
        Encoding,
        "Its root's base64 has no padding.",
        rooted,
        text(&own, "5", &root).replace('=', ""),
    );
    let loose = BASE64.encode(&root.0);
    let last = loose.as_bytes()[42];
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let at = alphabet.iter().position(|&c| c == last).unwrap();
    let other = format!("{}{}=", &loose[..42], alphabet[at + 1] as char);
    put(
        "root-with-loose-bits",
        Encoding,
        "Its root's base64 has bits left over that are not zero: a second spelling.",
        rooted,
        format!("{own}\n5\n{other}\n"),
    );
    let decimal = "form: its second line is a size in decimal";
    for (name, what, size) in [
        ("size-with-a-leading-zero", "Its size is written 05.", "05"),
        ("size-with-a-sign", "Its size is written +5.", "+5"),
        ("size-in-hex", "Its size is written 0x5.", "0x5"),
        (
            "size-of-65-bits",
            "Its size is 2^64.",
            "18446744073709551616",
        ),
        (
            "no-size",
            "Its second line is empty of a number: a space.",
            " ",
        ),
    ] {
        put(name, Encoding, what, decimal, text(&own, size, &root));
    }
    let shape = "form: its origin is abeng/<network>/<party>/<16 hex digits>";
    for (name, what, origin) in [
        (
            "life-in-capitals",
            "Its origin has hex digits in capitals.",
            "abeng/vectors/TT/019B7700000000AB",
        ),
        (
            "life-of-15-digits",
            "Its origin has 15 hex digits.",
            "abeng/vectors/TT/19b770000000001",
        ),
        (
            "origin-with-a-fourth-part",
            "Its origin goes on behind the life.",
            "abeng/vectors/TT/019b770000000001/x",
        ),
        (
            "origin-of-another-protocol",
            "Its origin does not begin with abeng.",
            "other/vectors/TT/019b770000000001",
        ),
        (
            "party-in-small-letters",
            "Its origin's party is no code.",
            "abeng/vectors/tt/019b770000000001",
        ),
    ] {
        put(name, Rule, what, shape, text(origin, "5", &root));
    }
    put(
        "log-of-another-network",
        Place,
        "It is of another network's TT.",
        "unknown-log",
        text(&format!("abeng/others/TT/{LIFE}"), "5", &root),
    );
    put(
        "log-of-an-unknown-party",
        Place,
        "It is of GY, which is no party.",
        "unknown-log",
        text(&format!("abeng/vectors/GY/{LIFE}"), "5", &root),
    );
    put(
        "log-of-another-party",
        Signature,
        "It is of BB's log, and TT has signed it.",
        "unsigned",
        text(&origin("BB"), "5", &root),
    );
}

fn signed(net: &Net, book: &mut Book, good: &str) {
    let (own, keys) = (origin("TT"), net.keys("TT"));
    let head = good.split_inclusive("\n\n").next().unwrap();
    let body = &head[..head.len() - 1];
    let log = &**keys.log();
    let by = |signer: &dyn Signer, kind: u8, name: &str, over: &str| {
        line(
            name,
            kind,
            signer,
            &signer.sign_message(over.as_bytes()).unwrap(),
        )
    };
    let mut put = |name: &str, what: &str, refused: &str, lines: String| {
        book.bad(
            name,
            wrong(Signature, what, refused),
            format!("{head}{lines}").as_bytes(),
        );
    };
    put(
        "by-another-party",
        "BB's log key has signed it.",
        "unsigned",
        by(&**net.keys("BB").log(), LOG, &own, body),
    );
    put(
        "by-the-node",
        "TT's node-tls key has signed it.",
        "unsigned",
        by(&**keys.node_tls(), LOG, &own, body),
    );
    put(
        "in-the-name-of-another-log",
        "The log key's line has the name of another life.",
        "unsigned",
        by(log, LOG, "abeng/vectors/TT/0000000000000001", body),
    );
    put(
        "as-a-witness",
        "The log key's line is of a witness's type.",
        "unsigned",
        by(log, WITNESS, &own, body),
    );
    put(
        "over-the-text-without-its-newline",
        "The log key has signed the text without its last newline.",
        "bad-signature",
        by(log, LOG, &own, body.trim_end()),
    );
    let signature = log.sign_message(body.as_bytes()).unwrap();
    put(
        "signature-of-63-bytes",
        "The signature has 63 bytes.",
        "bad-signature",
        line(&own, LOG, log, &signature[1..]),
    );
    put(
        "s-not-reduced",
        "The signature's S has the group order added.",
        "bad-signature",
        line(
            &own,
            LOG,
            log,
            &with_order_added(&signature.to_vec().into()),
        ),
    );
    let good_line = line(&own, LOG, log, &signature);
    put(
        "a-second-line-that-does-not-hold",
        "Two lines of the log's key: one holds, one does not.",
        "bad-signature",
        format!("{good_line}{}", line(&own, LOG, log, &[7; 64])),
    );
    let mut put = |name: &str, what: &str, refused: &str, note: String| {
        book.bad(name, wrong(Signature, what, refused), note.as_bytes());
    };
    let damaged = flipped_signature(&Bytes::copy_from_slice(good.as_bytes()));
    put(
        "bit-flipped",
        "One bit of the signature is another.",
        "bad-signature",
        String::from_utf8(damaged.to_vec()).unwrap(),
    );
    put(
        "size-changed-after-signing",
        "It says six leaves; five were signed.",
        "bad-signature",
        good.replace("\n5\n", "\n6\n"),
    );
    let revoked = wrong(
        Place,
        "TT's log key is revoked by the roster here.",
        "unknown-log",
    );
    book.bad_against("key-revoked", revoked, good.as_bytes(), |a| {
        a.rosters.push("roster-2-revokes-TTs-log-key".into());
    });
}

/// A witness's line: time and signature over the time and the text.
fn cosignature(net: &Net, witness: &str, over: &str, time: u64) -> Vec<u8> {
    let message = format!("cosignature/v1\ntime {time}\n{over}");
    let signature = net
        .keys(witness)
        .witness()
        .sign_message(message.as_bytes())
        .unwrap();
    [&time.to_be_bytes()[..], &signature].concat()
}

fn cosigned(net: &Net, book: &mut Book, log: &Log, good: &str) {
    let body = text(&origin("TT"), "5", &log.root(5));
    let time = NOW / 1000;
    let by = |witness: &str, bytes: &[u8]| {
        let name = format!("abeng/vectors/{witness}/witness");
        line(&name, WITNESS, &**net.keys(witness).witness(), bytes)
    };
    let first = by("BB", &cosignature(net, "BB", &body, time));
    let second = cosignature(net, "JM", &body, time + 1);
    book.against().ask = Some("cosigned".into());
    book.good(
        "good-cosigned",
        "The same with the lines of two of its three witnesses.",
        format!("{good}{first}{}", by("JM", &second)).as_bytes(),
    );
    let mut put = |name: &str, what: &str, bytes: &[u8]| {
        let note = format!("{good}{first}{}", by("JM", bytes));
        book.bad(
            name,
            wrong(Signature, what, "bad-cosignature: JM"),
            note.as_bytes(),
        );
    };
    let mut damaged = second.clone();
    damaged[30] ^= 1;
    put(
        "cosignature-damaged",
        "One bit of JM's cosignature is another.",
        &damaged,
    );
    put(
        "cosignature-at-time-0",
        "JM's cosignature is of time 0.",
        &cosignature(net, "JM", &body, 0),
    );
    let mut earlier = second.clone();
    earlier[..8].copy_from_slice(&(time - 3600).to_be_bytes());
    put(
        "cosignature-moved-in-time",
        "JM's cosignature says an hour earlier than was signed.",
        &earlier,
    );
    put(
        "cosignature-without-a-time",
        "JM has signed as a log does: no time.",
        &net.keys("JM")
            .witness()
            .sign_message(body.as_bytes())
            .unwrap(),
    );
    let as_a_log = net
        .keys("JM")
        .witness()
        .sign_message(body.as_bytes())
        .unwrap();
    put(
        "cosignature-over-the-text-alone",
        "JM's cosignature has a time beside it and is over the text alone.",
        &[&time.to_be_bytes()[..], &as_a_log].concat(),
    );
    let other = text(&origin("TT"), "4", &log.root(4));
    put(
        "cosignature-of-another-size",
        "JM's cosignature is of the log's first four leaves.",
        &cosignature(net, "JM", &other, time + 1),
    );
    put(
        "cosignature-of-73-bytes",
        "A byte follows JM's cosignature.",
        &[&second[..], &[0]].concat(),
    );
    put(
        "cosignature-of-another-witness",
        "JM's line holds LC's signature.",
        &cosignature(net, "LC", &body, time + 1),
    );
    let alone = good.split_inclusive("\n\n").next().unwrap();
    let without = wrong(
        Signature,
        "Two witnesses have signed, and the log has not.",
        "unsigned",
    );
    book.bad(
        "cosigned-and-not-signed",
        without,
        format!("{alone}{first}{}", by("JM", &second)).as_bytes(),
    );
}

/// Whether it goes on from what is held.
fn grown(net: &Net, book: &mut Book, log: &Log) {
    book.given
        .put("checkpoint-of-3", of_log(net, log, 3).as_bytes());
    book.given
        .put("checkpoint-of-5", of_log(net, log, 5).as_bytes());
    let old = note(
        net,
        &text("abeng/vectors/TT/0000000000000001", "3", &log.root(3)),
    );
    book.given
        .put("checkpoint-of-3-of-another-life", old.as_bytes());
    let proof: Vec<String> = log
        .growth(3, 5)
        .iter()
        .map(|h| BASE64.encode(&h.0))
        .collect();
    book.against().ask = Some("after".into());
    book.against().held = Some("checkpoint-of-3".into());
    book.against().proof = proof;
    let good = of_log(net, log, 5);
    book.good(
        "good-after",
        "Five leaves, where three are held, with the proof between them.",
        good.as_bytes(),
    );

    let mut proved = |name: &str, what: &str, refused: &str, with: &dyn Fn(&mut Vec<String>)| {
        book.bad_against(name, wrong(Seal, what, refused), good.as_bytes(), |a| {
            with(&mut a.proof)
        });
    };
    proved(
        "proof-too-short",
        "The proof's last hash is missing.",
        "proof: length 2",
        &|p| drop(p.pop()),
    );
    proved(
        "proof-too-long",
        "A hash follows the proof.",
        "proof: length 4",
        &|p| p.push(BASE64.encode(&[0; 32])),
    );
    proved("no-proof", "There is no proof.", "proof: length 0", &|p| {
        p.clear()
    });
    proved(
        "proof-reversed",
        "The proof is given backwards.",
        "proof: root",
        &|p| p.reverse(),
    );
    proved(
        "proof-changed",
        "A hash in the proof is another.",
        "proof: root",
        &|p| p[1] = BASE64.encode(&[7; 32]),
    );

    // The log that replaced its second leaf.
    let mut leaves = log.0.clone();
    leaves[1] = LeafHash(digest(b"another leaf").0);
    let forked = Log(leaves);
    let fork = of_log(net, &forked, 5);
    let fork_proof: Vec<String> = forked
        .growth(3, 5)
        .iter()
        .map(|h| BASE64.encode(&h.0))
        .collect();
    let rewritten = wrong(
        Seal,
        "Its second leaf is another than in what is held; the proof is the one of that log.",
        "proof: root",
    );
    book.bad_against("past-rewritten", rewritten, fork.as_bytes(), |a| {
        a.proof = fork_proof
    });
    let twice = wrong(
        Seal,
        "Another root for the five leaves that are held: a contradiction.",
        "contradiction: 5",
    );
    book.bad_against("two-roots-of-one-size", twice, fork.as_bytes(), |a| {
        a.held = Some("checkpoint-of-5".into());
        a.proof.clear();
    });
    let empty = wrong(
        Seal,
        "It has no leaf: nothing follows from it.",
        "proof: sizes 0 to 3",
    );
    let nothing = note(net, &text(&origin("TT"), "0", &LeafHash(digest(b"").0)));
    book.bad_against("shrunk-to-nothing", empty, nothing.as_bytes(), |a| {
        a.proof.clear()
    });
    let life = wrong(
        Place,
        "What is held is of another life of the log.",
        "other-log",
    );
    book.bad_against("of-another-life-than-held", life, good.as_bytes(), |a| {
        a.held = Some("checkpoint-of-3-of-another-life".into());
    });
}
