//! A whole gateway, started and ended.

use std::path::Path;

use model::{Entry, Event};
use tokio::sync::oneshot;

use super::*;
use crate::testing::{POLICIES, kind, soon};

fn config(folder: &Path, more: &str) -> Config {
    let policies = folder.join("policies");
    std::fs::create_dir_all(&policies).unwrap();
    std::fs::write(policies.join("all.cedar"), POLICIES).unwrap();
    let text = format!(
        "[api]\nlisten = \"127.0.0.1:0\"\n[postgres]\nlisten = \"127.0.0.1:0\"\n[issuer]\nenabled = true\n\
         [targets.bank]\nprotocol = \"postgres\"\naddress = \"127.0.0.1:1\"\ndatabase = \"bank\"\nuser = \"app\"\n{more}"
    );
    Config::parse(&text, &folder.join("countersign.toml")).unwrap()
}

/// Starts a gateway, and ends it once `meanwhile` is done.
async fn run_for<F: Future<Output = ()>>(
    config: Config,
    meanwhile: impl FnOnce(Addresses) -> F,
) -> Result<(), ServeError> {
    let (ready, is_ready) = oneshot::channel();
    let (end, ends) = oneshot::channel::<()>();
    let gateway = serve(config, |addresses| ready.send(addresses).unwrap(), async {
        drop(ends.await)
    });
    let story = async {
        if let Ok(addresses) = is_ready.await {
            meanwhile(addresses).await;
        }
        drop(end);
    };
    soon("the gateway's end", async {
        tokio::join!(gateway, story).0
    })
    .await
}

fn entries(folder: &Path) -> Vec<Entry> {
    let reader = ledger::Reader::open(&folder.join("data/ledger"), None).unwrap();
    let size = reader.checkpoint().size();
    reader
        .entries(0..size)
        .map(|leaf| Entry::decode(&leaf.unwrap().1).unwrap())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn it_starts_serves_and_ends_in_good_order_twice() {
    let folder = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        let config = config(folder.path(), "");
        run_for(config, async |addresses| {
            assert_ne!(addresses.api.port(), 0);
            drop(
                tokio::net::TcpStream::connect(addresses.postgres)
                    .await
                    .unwrap(),
            );
        })
        .await
        .unwrap();
    }
    let entries = entries(folder.path());
    let story: Vec<_> = entries.iter().map(|entry| kind(&entry.event)).collect();
    assert_eq!(story, ["started", "stopped", "started", "stopped"]);
    let Event::Started(started) = &entries[0].event else {
        panic!()
    };
    assert_eq!(
        started.targets,
        [("bank".to_owned(), "postgres".to_owned())]
    );
    assert_eq!(started.durability, "sync");
    assert!(
        started.issuers[0].starts_with("http://127.0.0.1:")
            && started.issuers[0].ends_with("/issuer")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_named_at_start() {
    let folder = tempfile::tempdir().unwrap();
    let never = async |_| panic!("it must not start");
    let missing = config(folder.path(), "password = { file = \"nothing\" }\n");
    let error = run_for(missing, never).await.unwrap_err().to_string();
    assert!(
        error.contains("bank") && error.contains("nothing"),
        "{error}"
    );

    std::fs::write(folder.path().join("policies/all.cedar"), "permit (").ok();
    let bad = config(folder.path(), "");
    std::fs::write(folder.path().join("policies/all.cedar"), "permit (").unwrap();
    let error = run_for(bad, never).await.unwrap_err().to_string();
    assert!(error.contains("all.cedar"), "{error}");

    let taken = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    let socket = listen::bind(taken).unwrap();
    let mut busy = config(folder.path(), "");
    busy.postgres.listen = socket.local_addr().unwrap();
    let error = run_for(busy, never).await.unwrap_err().to_string();
    assert!(
        error.contains(&socket.local_addr().unwrap().to_string()),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn two_gateways_do_not_share_a_ledger() {
    let folder = tempfile::tempdir().unwrap();
    let second = config(folder.path(), "");
    run_for(config(folder.path(), ""), async |_| {
        let error = run_for(second, async |_| panic!("it must not start"))
            .await
            .unwrap_err();
        assert!(matches!(error, ServeError::Ledger(_)), "{error}");
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn changed_policies_come_into_force_by_themselves() {
    let folder = tempfile::tempdir().unwrap();
    let policies = folder.path().join("policies/all.cedar");
    run_for(config(folder.path(), ""), async |_| {
        std::fs::write(&policies, format!("{POLICIES}\n// more\n")).unwrap();
        // The ledger tells when it happened.
        let ledger = folder.path().join("data/ledger");
        loop {
            let reader = ledger::Reader::open(&ledger, None);
            if reader.is_ok_and(|reader| reader.checkpoint().size() > 1) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await
    .unwrap();
    let story: Vec<_> = entries(folder.path())
        .iter()
        .map(|entry| kind(&entry.event))
        .collect();
    assert_eq!(story, ["started", "policy_activated", "stopped"]);
}

/// What a clock that was set back while no gateway ran is compared with.
#[test]
fn the_time_of_the_last_entry_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let options = ledger::Options {
        origin: "example.com/log".to_owned(),
        key: ledger::SigningKey::from_seed("example.com/log", &[7; 32]).unwrap(),
        durability: ledger::Durability::Sync,
        integrate_every: std::time::Duration::from_secs(3_600),
    };
    let log = ledger::Log::open(folder.path(), options).unwrap();
    assert_eq!(parts::last_entry(&log, folder.path()).unwrap(), None);
    for secs in [1_000, 2_000] {
        let event = Event::Stopped {};
        let at = model::Timestamp::from_secs(secs);
        let entry = Entry { at, event }.encode().unwrap();
        log.append(entry).wait().unwrap();
    }
    let last = parts::last_entry(&log, folder.path()).unwrap();
    assert_eq!(last, Some(model::Timestamp::from_secs(2_000)));
}
