//! The scratch PostgreSQL is what the other tests take it for.

use std::fs;
use std::path::Path;
use tests::{Authority, Postgres, Tls};

#[test]
fn each_database_is_a_fresh_bank_of_its_own() {
    let (one, other) = (Postgres::shared().database(), Postgres::shared().database());
    assert_ne!(one.name(), other.name());
    one.endpoint().psql("TRUNCATE support_notes").success();
    let count = "SELECT count(*) FROM support_notes";
    assert_eq!(one.endpoint().psql(count).success().stdout, "0\n");
    assert_eq!(other.endpoint().psql(count).success().stdout, "1500\n");
    let empty = Postgres::shared().empty_database();
    let tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'";
    assert_eq!(empty.endpoint().psql(tables).success().stdout, "0\n");
}

#[test]
fn psql_reports_output_errors_and_its_exit_code() {
    let database = Postgres::shared().database();
    let output = database
        .endpoint()
        .psql("SELECT 1, 'zwei';\nSELECT 1/0;\nSELECT 3;\n")
        .failure();
    assert_eq!(output.code, Some(3));
    assert_eq!(output.stdout, "1|zwei\n");
    assert_eq!(output.stderr, "ERROR:  division by zero\n");
    let refused = database
        .endpoint()
        .login("app", "wrong")
        .psql("SELECT 1")
        .failure();
    assert_eq!(refused.code, Some(2));
    assert!(
        refused
            .stderr
            .contains("password authentication failed for user \"app\""),
        "{refused:?}"
    );
}

#[test]
fn the_server_offers_verified_tls_and_every_way_to_log_in() {
    let database = Postgres::shared().database();
    let endpoint = database.endpoint();
    let protected = "SELECT ssl, version FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    assert_eq!(endpoint.psql(protected).success().stdout, "t|TLSv1.3\n");
    assert_eq!(
        endpoint.tls(Tls::Off).psql(protected).success().stdout,
        "f|\n"
    );
    for role in ["app_md5", "app_plain", "app_tls"] {
        let name = endpoint
            .login(role, &endpoint.password)
            .psql("SELECT current_user")
            .success();
        assert_eq!(name.stdout, format!("{role}\n"));
    }
    let bare = endpoint
        .login("app_tls", &endpoint.password)
        .tls(Tls::Off)
        .psql("SELECT 1")
        .failure();
    assert!(
        bare.stderr.contains("pg_hba.conf rejects connection"),
        "{bare:?}"
    );
}

#[test]
fn an_authority_of_the_same_name_is_not_trusted() {
    let database = Postgres::shared().database();
    let directory = tempfile::tempdir().unwrap();
    let stranger = directory.path().join("stranger.pem");
    fs::write(&stranger, Authority::new("scratch PostgreSQL").pem()).unwrap();
    let refused = database
        .endpoint()
        .tls(Tls::Verified(stranger))
        .psql("SELECT 1")
        .failure();
    assert!(refused.stderr.contains("SSL error"), "{refused:?}");
}

#[test]
fn a_dropped_cluster_leaves_nothing() {
    let cluster = Postgres::start();
    let authority = cluster.authority_file();
    let directory = authority.parent().unwrap().to_owned();
    let process = Path::new("/proc").join(
        fs::read_to_string(directory.join("data/postmaster.pid"))
            .unwrap()
            .lines()
            .next()
            .unwrap(),
    );
    assert!(process.exists() && directory.exists());
    drop(cluster);
    assert!(!process.exists(), "the server still runs");
    assert!(!directory.exists(), "the directory is still there");
}

#[test]
fn a_stopped_cluster_breaks_its_connections_and_keeps_its_log() {
    let mut cluster = Postgres::start();
    let endpoint = cluster.superuser("bank");
    cluster.stop();
    let refused = endpoint.psql("SELECT 1").failure();
    assert!(refused.stderr.contains("Connection refused"), "{refused:?}");
    assert!(
        cluster
            .log()
            .contains("database system is ready to accept connections")
    );
}
