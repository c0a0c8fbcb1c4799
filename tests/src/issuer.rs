//! An OpenID provider that is not ours: the certified `oidc-provider`, see `tests/node/issuer.mjs`.

use crate::place;
use crate::process::clean_command;
use crate::talk::Talk;
use serde_json::{Value, json};

/// A running provider, gone when this is dropped.
pub struct Issuer {
    talk: Talk,
    url: String,
}

impl Issuer {
    /// Starts one on a free loopback port.
    #[must_use]
    pub fn start() -> Self {
        let mut command = clean_command("node");
        command
            .arg(place::workspace().join("tests/node/issuer.mjs"))
            .current_dir(place::workspace().join("tests/node"));
        let mut talk = Talk::start(command);
        let url = talk.hear("ready ").split_off("ready ".len());
        Self { talk, url }
    }

    /// Its name, as it stands in its tokens.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The token that it gives this client, signed by this algorithm, with these claims beside its own.
    pub fn token(&mut self, client: &str, claims: &Value, algorithm: &str) -> String {
        self.wish(&json!({ "client": client, "claims": claims, "alg": algorithm }))
    }

    /// A token that it would not give: with exactly these claims, signed with its `own` key, or with an `other`.
    pub fn forge(&mut self, claims: &Value, key: &str) -> String {
        self.wish(&json!({ "forge": claims, "alg": "ES256", "with": key }))
    }

    /// From now on it has other keys, and publishes only those.
    pub fn rotate(&mut self) {
        self.talk.say(r#"{"rotate": true}"#);
        self.talk.hear("rotated");
    }

    fn wish(&mut self, wish: &Value) -> String {
        self.talk.say(&wish.to_string());
        self.talk.hear("token ").split_off("token ".len())
    }
}
