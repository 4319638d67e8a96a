use super::*;

#[test]
fn no_root() {
    made(|e| e.roots.clear(), Part::Root(0), "no root given");
}

#[test]
fn no_roster() {
    made(|e| e.rosters.clear(), Part::Roster(0), "no roster given");
}

#[test]
fn a_root_with_a_signature_too_few() {
    let change = |e: &mut v1::Evidence| _ = e.roots[0].signatures.pop();
    made(change, Part::Root(0), "signed by 3 distinct signers");
}

#[test]
fn a_roster_signed_by_a_root_signer_that_is_no_roster_signer() {
    made(
        |e| e.rosters[0].signatures[1] = e.roots[0].signatures[0].clone(),
        Part::Roster(0),
        "signed by 1 distinct signers",
    );
}

#[test]
fn a_roster_signed_by_one_signer_twice() {
    made(
        |e| e.rosters[0].signatures[1] = e.rosters[0].signatures[0].clone(),
        Part::Roster(0),
        "signed by 1 distinct signers",
    );
}

#[test]
fn the_roster_of_another_network() {
    let other = Net::found("other", 43).bundle.rosters;
    made(|e| e.rosters = other, Part::Roster(0), "network");
}

#[test]
fn one_roster_twice() {
    made(
        |e| e.rosters.push(e.rosters[0].clone()),
        Part::Roster(1),
        "roster",
    );
}

#[test]
fn a_roster_that_follows_another_one() {
    let mut next: v1::Roster =
        decode("roster", &net().bundle.rosters[0].bytes, limits::ROSTER).unwrap();
    (next.version, next.previous) = (2, vec![9; 32].into());
    let signers: Vec<_> = net().roster_signers.iter().take(2).collect();
    let next = ceremony::sign_roster(&next, &signers).unwrap();
    made(
        |e| e.rosters.push(next),
        Part::Roster(1),
        "digest of the roster before",
    );
}
