use crate::{
    ceremony::*,
    leaves,
    net::{PATIENCE, found, now},
    warns,
};
use abeng_api::{
    AcceptRequest, Caller, Cause, ClientError, ErrorCode, InboxQuery, LeftOutWhy, SubmitRequest,
};
use abeng_keys::{Keyring, SystemEntropy};
use std::{fs, time::Duration};

fn request(to: &str, dry_run: bool) -> SubmitRequest {
    let draft = abeng_notice::samples().remove(0).draft;
    SubmitRequest {
        to: vec![to.to_owned()],
        notice: serde_json::to_value(draft).unwrap(),
        dry_run,
        ..Default::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_member_of_a_group_gets_nothing_until_it_is_accepted_here() {
    let net = found(&["JM", "TT"]);
    let jm = net.start("JM").await;
    let first = bundle(&net.home("JM"));
    // From roster 2 on JM may send to the group alone; TT comes into it with roster 3.
    let second = after(&net.dir, &first, |m| {
        m.groups.push(group("SEA", &["LC"]));
        m.grants = vec![grant("JM", "SEA")];
    });
    let second = with(&first, second);
    let third = with(
        &second,
        after(&net.dir, &second, |m| {
            m.groups[1] = group("SEA", &["LC", "TT"])
        }),
    );
    let client = net.client("JM");
    client.roster_import(file(&second)).await.unwrap();
    let party = |code: &str| AcceptRequest {
        party: Some(code.to_owned()),
        ..AcceptRequest::default()
    };
    // Neither for an officer at the socket, nor of another roster than the one looked at.
    let officer = Caller::unix(u32::MAX - 1);
    let refused = jm.shared().roster_accept(&officer, party("LC")).await;
    assert_eq!(refused.unwrap_err().code, ErrorCode::Forbidden);
    let refused = jm.shared().roster_import(&officer, file(&third)).await;
    assert_eq!(refused.unwrap_err().code, ErrorCode::Forbidden);
    let older = AcceptRequest {
        version: Some(1),
        ..party("LC")
    };
    let refused = client.roster_accept(&older).await.unwrap_err();
    assert!(
        refused.to_string().contains("roster 2 is in force"),
        "{refused}"
    );
    let seen = AcceptRequest {
        version: Some(2),
        ..party("LC")
    };
    client.roster_accept(&seen).await.unwrap();
    client.roster_import(file(&third)).await.unwrap();

    let dry = client.submit(&request("SEA", true)).await.unwrap();
    assert_eq!(dry.to, ["LC"]);
    let left_out = &dry.groups[0].left_out[0];
    assert_eq!(
        (left_out.party.as_str(), left_out.why),
        ("TT", LeftOutWhy::NewToGroup)
    );
    let refused = client.submit(&request("TT", true)).await.unwrap_err();
    assert!(
        refused.to_string().contains("new to the group SEA"),
        "{refused}"
    );
    let query = abeng_api::ExplainQuery {
        to: "TT".into(),
        ty: "seizure".into(),
        ..Default::default()
    };
    let why = client.explain(&query).await.unwrap();
    assert!(!why.allowed && why.refusal.unwrap().contains("new to the group SEA"));
    assert_eq!(why.grants[0].grant, "JM to SEA: every type up to TLP:RED");
    assert!(!why.grants[0].allows);
    unknown_things_are_not_explained(&client).await;
    // Neither a restart nor the loss of the view forgets it.
    jm.shutdown().await.unwrap();
    fs::remove_dir_all(net.home("JM").join("view")).unwrap();
    let jm = net.start("JM").await;
    assert!(client.submit(&request("TT", true)).await.is_err());
    let pending = client.roster_pending().await.unwrap();
    let waits: Vec<_> = pending
        .newcomers
        .iter()
        .map(|n| (n.party.as_str(), n.since))
        .collect();
    assert_eq!(waits, [("TT", 3)]);
    assert_eq!(
        pending.newcomers[0].gains,
        ["JM to SEA: every type up to TLP:RED"]
    );

    let nobody = client.roster_accept(&party("LC")).await.unwrap_err();
    assert!(nobody.to_string().contains("nobody waits"), "{nobody}");
    let group = AcceptRequest {
        group: Some("SEA".into()),
        officer: Some("N. Adams".into()),
        ..AcceptRequest::default()
    };
    assert_eq!(
        client.roster_accept(&group).await.unwrap().accepted.len(),
        1
    );
    let dry = client.submit(&request("SEA", true)).await.unwrap();
    assert_eq!(dry.to, ["LC", "TT"]);
    let admin = leaves(&net, "JM", "ADMIN").await;
    assert!(
        admin
            .iter()
            .any(|leaf| leaf.officer.as_deref() == Some("N. Adams"))
    );
    jm.shutdown().await.unwrap();
    let jm = net.start("JM").await;
    assert!(client.submit(&request("TT", true)).await.is_ok());
    jm.shutdown().await.unwrap();
    net.verify("JM");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_new_party_sends_waits_with_it_until_it_is_accepted() {
    let net = found(&["JM"]);
    let (jm_home, at) = (net.home("JM"), now());
    let first = bundle(&jm_home);
    let gy = Keyring::generate(code("GY"), &mut SystemEntropy);
    let toml = fs::read_to_string(jm_home.join("node.toml")).unwrap();
    let listen = toml.lines().find(|l| l.starts_with("listen")).unwrap();
    let port = listen.rsplit(':').next().unwrap().trim_matches('"');
    let address = format!("127.0.0.1:{}", port.parse::<u16>().unwrap() + 17);
    let mut second = with(
        &first,
        after(&net.dir, &first, |m| {
            m.parties.insert(0, new_party(&gy, &address, at));
        }),
    );
    second
        .seal_keys
        .push(seal_key(&gy, 1, gy.seal.newest().unwrap().public(), at));
    let toml = toml.replace(listen, &format!("listen = \"{address}\""));
    let toml = toml.replace("party = \"JM\"", "party = \"GY\"");
    home_of_new(&net.home("GY"), &gy, (&second, &toml), at);
    let (jm, gy) = (net.start("JM").await, net.start("GY").await);
    let client = net.client("JM");
    client.roster_import(file(&second)).await.unwrap();

    net.try_send("GY", "JM").await.unwrap();
    let told = |s: &abeng_api::StatusView| warns(s, "GY has notices for this node");
    net.until("JM", "told of the newcomer", told).await;
    assert!(
        client
            .inbox(&InboxQuery::default())
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(leaves(&net, "JM", "REFUSED").await.len(), 0);
    let question = abeng_api::ExplainQuery {
        from: Some("GY".into()),
        to: "JM".into(),
        ty: "seizure".into(),
        ..Default::default()
    };
    let why = client.explain(&question).await.unwrap();
    assert!(!why.allowed && why.refusal.unwrap().contains("GY"));
    let accept = AcceptRequest {
        party: Some("GY".into()),
        ..AcceptRequest::default()
    };
    assert_eq!(
        client.roster_accept(&accept).await.unwrap().accepted.len(),
        1
    );
    let deadline = std::time::Instant::now() + PATIENCE;
    while client
        .inbox(&InboxQuery::default())
        .await
        .unwrap()
        .is_empty()
    {
        assert!(std::time::Instant::now() < deadline, "it does not come");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(client.explain(&question).await.unwrap().allowed);
    let status = client.status().await.unwrap();
    assert!(!warns(&status, "GY has notices for this node"));
    jm.shutdown().await.unwrap();
    gy.shutdown().await.unwrap();
}

/// Of a type or a party that nobody knows nothing is said to be allowed.
async fn unknown_things_are_not_explained(client: &abeng_api::Client) {
    for (to, ty, code, cause, said) in [
        (
            "LC",
            "FOO",
            ErrorCode::Invalid,
            Cause::UnknownType,
            "SEIZURE, FEEDBACK, RECALL",
        ),
        (
            "AA",
            "SEIZURE",
            ErrorCode::NotFound,
            Cause::UnknownParty,
            "JM, LC, TT",
        ),
    ] {
        let query = abeng_api::ExplainQuery {
            to: to.into(),
            ty: ty.into(),
            ..Default::default()
        };
        let error = client.explain(&query).await.unwrap_err();
        let ClientError::Api(error) = error else {
            panic!("{error}");
        };
        assert_eq!(error.code, code, "{error}");
        assert_eq!(error.cause.and_then(|cause| cause.known()), Some(cause));
        assert!(error.try_this.unwrap().contains(said));
    }
    // Grants may name what a later version writes; what they say of it is told.
    let later = abeng_api::ExplainQuery {
        to: "LC".into(),
        ty: "lookout".into(),
        ..Default::default()
    };
    let told = client.explain(&later).await.unwrap();
    assert_eq!(
        (&*told.ty, told.later, told.allowed),
        ("LOOKOUT", true, true)
    );
    let from = |code: &str| InboxQuery {
        from: Some(code.to_owned()),
        ..InboxQuery::default()
    };
    assert!(client.inbox(&from("AA")).await.is_err());
    assert!(client.inbox(&from("TT")).await.is_ok());
    let refused = client.submit(&request("AA", true)).await.unwrap_err();
    let ClientError::Api(refused) = refused else {
        panic!("{refused}");
    };
    let cause = refused.flaws[0].cause.as_ref().unwrap();
    assert_eq!(cause.values["members"], "JM, LC, TT");
    assert!(refused.try_this.unwrap().contains("JM, LC, TT"));
}
