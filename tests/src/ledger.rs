//! What a gateway wrote, read back by the ledger's own reader, which checks it first.

use ledger::{Reader, Verifier};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

/// Every entry of a ledger whose tiles, checkpoints and signatures hold.
pub struct Ledger {
    entries: Vec<Value>,
}

impl Ledger {
    /// Reads and checks the ledger of a data directory.
    pub(crate) fn read(data: &Path) -> Self {
        let text = fs::read_to_string(data.join("keys/ledger.pub")).unwrap();
        let key = Verifier::parse(text.trim()).unwrap();
        let reader = Reader::open(&data.join("ledger"), Some(&key)).unwrap();
        reader.verify().unwrap();
        let entries = reader
            .entries(0..u64::MAX)
            .map(|entry| serde_json::from_slice(&entry.unwrap().1).unwrap())
            .collect();
        Self { entries }
    }

    /// All entries, in order.
    #[must_use]
    pub fn entries(&self) -> &[Value] {
        &self.entries
    }

    /// The events of a type, in order.
    #[must_use]
    pub fn events(&self, of: &str) -> Vec<&Value> {
        let events = self.entries.iter().map(|entry| &entry["event"]);
        events.filter(|event| event["type"] == of).collect()
    }

    /// The commands that were permitted, by their tags.
    #[must_use]
    pub fn permitted(&self) -> Vec<String> {
        tags(&self.events("intent"))
    }

    /// How the permitted commands ended for which `of` holds of their intents, and whether they may go again.
    ///
    /// # Panics
    /// If one has no outcome.
    #[must_use]
    pub fn ended(&self, of: impl Fn(&Value) -> bool) -> Vec<Value> {
        let outcomes = self.events("outcome");
        let all = (0..).zip(&self.entries);
        let events = all.map(|(leaf, entry): (u64, _)| (leaf, &entry["event"]));
        let intents = events.filter(|(_, event)| event["type"] == "intent" && of(event));
        let end = |(leaf, _)| {
            let found = outcomes.iter().find(|it| it["intent"] == leaf).unwrap();
            json!([found["outcome"]["status"], found["outcome"]["again"]])
        };
        intents.map(end).collect()
    }

    /// The commands that were refused, by their tags.
    #[must_use]
    pub fn refused(&self) -> Vec<String> {
        tags(&self.events("refused"))
    }
}

fn tags(events: &[&Value]) -> Vec<String> {
    let tag = |event: &&Value| event["command"]["tag"].as_str().unwrap().to_owned();
    events.iter().map(tag).collect()
}
