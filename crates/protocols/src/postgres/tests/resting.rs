//! What the client sends, as it is recorded and shown to approvers.

use mask::Strategy;
use model::{DataClass, Note};

use super::gateway::{Gateway, settings};
use super::say::{bind_with, parse, query, sync};
use crate::postgres::settings::Settings;

fn hiding_cards_by(strategy: Strategy) -> Settings {
    let mut settings = settings();
    settings.strategies.insert(DataClass::PAN, strategy);
    settings
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn a_value_takes_no_text_with_it_that_it_stands_in() {
    for strategy in [Strategy::Null, Strategy::Withhold] {
        let mut gateway = Gateway::of(hiding_cards_by(strategy));
        let asked = "select n from t where words = '4111111111111111'";
        gateway.client(&query(asked)).unwrap();
        let command = gateway.permit();
        let masked = "select n from t where words = '****************'";
        assert_eq!(
            (text(&command.text), text(&command.shown)),
            (asked.into(), masked.into())
        );
        let Note::Asked { text: noted, .. } = &gateway.notes[0] else {
            panic!("{:?}", gateway.notes)
        };
        assert_eq!(text(noted), masked);

        let mut gateway = Gateway::of(hiding_cards_by(strategy));
        let bound = bind_with("", "", &["card 4111111111111111, please"]);
        let texts = [parse("", "select n from t where words = $1"), bound, sync()];
        gateway.client(&texts.concat()).unwrap();
        let command = gateway.permit();
        let shown = command.shown_parameters[0].as_deref();
        assert_eq!(shown, Some("card ****************, please"));
    }
}

#[test]
fn a_text_that_cannot_be_read_rests_masked() {
    let mut gateway = Gateway::of(hiding_cards_by(Strategy::Null));
    gateway
        .client(&query("selekt '4111111111111111' from t"))
        .unwrap();
    let Note::Asked { text: noted, .. } = &gateway.notes[0] else {
        panic!("{:?}", gateway.notes)
    };
    assert_eq!(text(noted), "selekt '****************' from t");
}
