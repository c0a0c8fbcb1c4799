//! Real clients against real servers: the harness that the tests in `tests/tests` stand on.
//!
//! A test asks for what it needs and drops it; nothing outlives the test's process, however that ends.
//!
//! ```no_run
//! use tests::Postgres;
//!
//! let database = Postgres::shared().database(); // a fresh copy of examples/bank on a scratch PostgreSQL
//! let output = database.endpoint().psql("SELECT count(*) FROM customers").success();
//! assert_eq!(output.stdout, "2000\n");
//! ```
//!
//! - [`Postgres`]: a scratch cluster with TLS and SCRAM, a [`Database`] of its own for every test.
//! - [`Endpoint`]: where a client connects and as whom, directly or through the gateway; it runs psql, and the Python, Node
//!   and Java programs under `tests/clients`.
//! - [`Gateway`]: the built `countersign` binary, started from a [`Config`].
//! - [`Issuer`]: an OpenID provider that is not ours.
//! - [`Moto`]: AWS, played by moto; an [`Agent`] uses it through a gateway with boto3 or the AWS CLI.
//! - [`lake`]: the target that most tests of AWS have.
//! - [`S3`]: an S3 server that verifies signatures; [`raw`] speaks to the gateway by hand.
//! - [`Front`]: a front before a server, which fails as often as it is told to.
//! - [`Authority`]: certificates, good ones and wrong ones.
//! - [`bank`]: what makes a card number, an SSN, an IBAN or a routing number valid, written down a second time.
#![allow(
    clippy::disallowed_types,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a harness that cannot do its part fails the test, and it talks to real sockets"
)]

mod aws;
pub mod bank;
mod endpoint;
mod front;
mod gateway;
pub mod http;
mod issuer;
pub mod lake;
mod ledger;
mod person;
mod place;
mod postgres;
mod process;
pub mod raw;
mod s3;
mod statements;
mod talk;
mod tls;
pub mod wire;

pub use aws::{Agent, Moto, aws_cli, every_host, every_member, every_request, leaves, node_client};
pub use endpoint::{Endpoint, Tls};
pub use front::Front;
pub use gateway::{Config, Gateway, countersign};
pub use issuer::Issuer;
pub use ledger::Ledger;
pub use person::{Person, SshAgent};
pub use postgres::{Database, Postgres};
pub use process::Output;
pub use s3::S3;
pub use statements::{Answer, lines};
pub use talk::Talk;
pub use tls::{Authority, Certificate};
pub use wire::{Message, Wire};
