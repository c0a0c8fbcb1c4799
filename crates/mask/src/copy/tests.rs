//! COPY data: fields found, masked and written back, however the data were split.

use std::sync::Arc;

use model::DataClass;
use proptest::prelude::*;

use super::{
    COPY_FIELD_BYTES_MAX, ColumnPlan, CopyError, CopyFormat, CopyMasker, CopyPlan, CsvFormat,
    TextFormat,
};
use crate::{Findings, Hint, Masker, MaskerConfig};

fn text_plan(columns: &[ColumnPlan]) -> CopyPlan {
    plan(CopyFormat::Text(TextFormat::default()), columns)
}

fn csv_plan(columns: &[ColumnPlan]) -> CopyPlan {
    plan(CopyFormat::Csv(CsvFormat::default()), columns)
}

fn plan(format: CopyFormat, columns: &[ColumnPlan]) -> CopyPlan {
    let columns = columns
        .iter()
        .enumerate()
        .map(|(index, plan)| (format!("c{index}"), plan.clone()))
        .collect();
    CopyPlan {
        format,
        header: false,
        columns,
    }
}

fn run(plan: &CopyPlan, pieces: &[&[u8]]) -> Result<(Vec<u8>, Findings), CopyError> {
    let mut findings = Findings::counting();
    let mut copy = CopyMasker::new(
        Arc::new(Masker::new(MaskerConfig::default())),
        plan.clone(),
        &mut findings,
    );
    let mut out = Vec::new();
    for piece in pieces {
        copy.push(piece, &mut out, &mut findings)?;
    }
    copy.finish()?;
    Ok((out, findings))
}

#[track_caller]
fn check(plan: &CopyPlan, data: &str, expected: &str) {
    let whole = run(plan, &[data.as_bytes()]).unwrap();
    assert_eq!(String::from_utf8_lossy(&whole.0), expected);
    for split in 0..=data.len() {
        let (a, b) = data.as_bytes().split_at(split);
        let halves = run(plan, &[a, b]).unwrap();
        assert_eq!(
            String::from_utf8_lossy(&halves.0),
            expected,
            "split at {split}"
        );
        assert_eq!(halves.1.facts(), whole.1.facts());
    }
    let bytes: Vec<&[u8]> = data.as_bytes().chunks(1).collect();
    assert_eq!(run(plan, &bytes).unwrap().0, whole.0);
}

fn ssn() -> ColumnPlan {
    ColumnPlan::Declared(DataClass::US_SSN)
}

const SCAN: ColumnPlan = ColumnPlan::Scan(Hint::NONE);

#[test]
fn text_fields_go_by_their_columns_plan() {
    let plan = text_plan(&[ColumnPlan::Clear, SCAN, ssn(), ColumnPlan::Withhold]);
    check(
        &plan,
        "4111111111111111\tcard 4111111111111111\t123-45-6789\tx\n2\t\\N\t\\N\t\\N\n3\tplain \\\\ \\t text\tgarbage\t\n",
        "4111111111111111\tcard ************1111\t***-**-6789\t\\N\n2\t\\N\t\\N\t\\N\n3\tplain \\\\ \\t text\t*******\t\\N\n",
    );
}

#[test]
fn escapes_do_not_hide_a_value() {
    let plan = text_plan(&[SCAN]);
    check(
        &plan,
        "a\\tb\\\\ 123\\-45\\-6789 \\n\n",
        "a\\tb\\\\ ***-**-6789 \\n\n",
    );
    check(&plan, "\\061\\0623-45-6789\n", "***-**-6789\n");
    check(&plan, "\\x3123-45-6789\n", "***-**-6789\n");
    check(&plan, "john\\@example.com\n", "****@example.com\n");
}

/// The client names the characters for which the server puts a value in quotes.
#[test]
fn quotes_tell_nothing_of_what_is_hidden() {
    let format = CopyFormat::Csv(CsvFormat {
        delimiter: b'7',
        quote: b'9',
        escape: b'9',
        null: b"4711".to_vec(),
        keeps_quotes: false,
    });
    let hidden = ColumnPlan::Declared(DataClass::try_from("pin".to_owned()).unwrap());
    check(
        &plan(format, &[hidden, SCAN]),
        "123471x\n91237971x\n9471197x\n",
        "****71x\n****71x\n****7x\n",
    );
}

#[test]
fn other_delimiters_are_kept_apart() {
    let format = CopyFormat::Text(TextFormat {
        delimiter: b'*',
        null: b"NULL".to_vec(),
    });
    check(
        &plan(format, &[SCAN, SCAN]),
        "123-45-6789*NULL\n",
        "\\*\\*\\*-\\*\\*-6789*NULL\n",
    );
}

#[test]
fn csv_fields_may_be_quoted() {
    let plan = csv_plan(&[ColumnPlan::Clear, SCAN, ssn(), ColumnPlan::Withhold]);
    check(
        &plan,
        "1,\"a, \"\"b\"\"\n123-45-6789\",123456789,secret\n2,,,\n3,plain,\"\",\"x\n\"\n4,12\"3-45\"-6789,\"x\"\"y\",\n",
        "1,\"a, \"\"b\"\"\n***-**-6789\",*****6789,\n2,,,\n3,plain,\"\",\n4,\"***-**-6789\",\"***\",\n",
    );
}

#[test]
fn csv_may_escape_with_another_character() {
    let format = CsvFormat {
        delimiter: b';',
        quote: b'\'',
        escape: b'\\',
        null: b"\\N".to_vec(),
        ..CsvFormat::default()
    };
    let plan = plan(CopyFormat::Csv(format), &[SCAN, SCAN]);
    check(
        &plan,
        "'it\\'s; 123-45-6789';'a\\\\'\n\\N;'\\N'\n",
        "'it\\'s; ***-**-6789';'a\\\\'\n\\N;'\\N'\n",
    );
}

#[test]
fn a_header_names_columns_and_is_not_their_value() {
    let mut plan = csv_plan(&[ColumnPlan::Clear, ssn(), ColumnPlan::Withhold]);
    plan.header = true;
    check(
        &plan,
        "id,ssn,secret\n1,123456789,x\n",
        "id,ssn,secret\n1,*****6789,\n",
    );
}

#[test]
fn rows_that_do_not_fit_are_refused() {
    let two = text_plan(&[SCAN, SCAN]);
    assert_eq!(
        run(&two, &[b"a\tb\na\tb\tc\n"]).unwrap_err(),
        CopyError::Fields { row: 2, planned: 2 }
    );
    assert_eq!(
        run(&two, &[b"a\n"]).unwrap_err(),
        CopyError::Fields { row: 1, planned: 2 }
    );
    assert_eq!(
        run(&two, &[b"\n"]).unwrap_err(),
        CopyError::Fields { row: 1, planned: 2 }
    );
    assert_eq!(
        run(&two, &[b"a\tb"]).unwrap_err(),
        CopyError::Unfinished { row: 1 }
    );
    assert_eq!(run(&text_plan(&[]), &[b"\n\n"]).unwrap().0, b"\n\n");
    assert_eq!(
        run(&text_plan(&[]), &[b"a\n"]).unwrap_err(),
        CopyError::Fields { row: 1, planned: 0 }
    );
    assert_eq!(run(&two, &[b"a\tb\n\\.\n"]).unwrap().0, b"a\tb\n\\.\n");
    assert_eq!(run(&text_plan(&[SCAN]), &[b"\n"]).unwrap().0, b"\n");
}

#[test]
fn a_field_beyond_the_limit_is_withheld_and_the_next_is_not() {
    let long = vec![b'a'; COPY_FIELD_BYTES_MAX + 1];
    let plan = text_plan(&[SCAN, SCAN]);
    let tail: &[u8] = b"\t123-45-6789\n";
    for pieces in [
        vec![&long[..], tail],
        vec![&long[..1000], &long[1000..], tail],
        vec![&[long.clone(), tail.to_vec()].concat()[..]],
    ] {
        let (out, findings) = run(&plan, &pieces).unwrap();
        assert_eq!(out, b"\\N\t***-**-6789\n");
        let facts = findings.facts();
        assert_eq!(
            (
                facts[0].class.name(),
                facts[0].place.as_str(),
                facts[0].count
            ),
            ("uninspected", "c0", 1)
        );
    }
    let fits = [&long[1..], tail].concat();
    assert_eq!(run(&plan, &[&fits]).unwrap().0.len(), fits.len());
    let clear = text_plan(&[ColumnPlan::Clear, SCAN]);
    assert_eq!(
        run(&clear, &[&long, tail]).unwrap().0.len(),
        long.len() + tail.len()
    );
}

#[test]
fn facts_name_column_and_strategy() {
    let (_, findings) = run(&text_plan(&[SCAN, ssn()]), &[b"123-45-6789\t1\nx\t2\n"]).unwrap();
    let facts: Vec<_> = findings
        .facts()
        .into_iter()
        .map(|fact| (fact.place, fact.rule, fact.strategy, fact.count))
        .collect();
    let fact = |place: &str, rule: &str, count| {
        (
            place.to_owned(),
            rule.to_owned(),
            "partial".to_owned(),
            count,
        )
    };
    assert_eq!(
        facts,
        [fact("c0", "ssn_area_rules", 1), fact("c1", "declared", 2)]
    );
}

/// Bytes that mean something to a splitter, and some that do not.
fn copy_bytes() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just("\\\\"),
        Just("\\t"),
        Just("\t"),
        Just("\n"),
        Just("\""),
        Just("\"\""),
        Just(","),
        Just("a"),
        Just("123-45-6789"),
        Just("é"),
        Just("\\N"),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat().into_bytes())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_split_gives_the_same(data in copy_bytes(), cuts in prop::collection::vec(0usize..200, 0..6), csv: bool) {
        let columns = [SCAN, ssn(), ColumnPlan::Clear];
        let plan = if csv { csv_plan(&columns) } else { text_plan(&columns) };
        let whole = run(&plan, &[&data]).map(|(out, findings)| (out, findings.facts()));
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(data.len())).collect();
        cuts.extend([0, data.len()]);
        cuts.sort_unstable();
        let pieces: Vec<&[u8]> = cuts.windows(2).map(|cut| &data[cut[0]..cut[1]]).collect();
        prop_assert_eq!(run(&plan, &pieces).map(|(out, findings)| (out, findings.facts())), whole);
    }

    /// Rows written with random values are read back as those values, masked as by the masker itself.
    #[test]
    fn values_survive_their_writing(rows in prop::collection::vec(("[a-c\\\\\t\n\r\",é]{0,8}", "[0-9\\\\\"\n, -]{1,12}"), 0..5)) {
        let masker = Masker::new(MaskerConfig::default());
        let escape = |value: &str| value.replace('\\', "\\\\").replace('\t', "\\t").replace('\n', "\\n").replace('\r', "\\r");
        let quote = |value: &str| format!("\"{}\"", value.replace('"', "\"\""));
        let declared = |value: &str| {
            let mut out = Vec::new();
            let _ = masker.mask_declared(&DataClass::US_SSN, value.as_bytes(), &mut out, &mut Findings::counting());
            String::from_utf8(out).unwrap()
        };
        let columns = [ColumnPlan::Clear, ssn()];
        let text: String = rows.iter().map(|(a, b)| format!("{}\t{}\n", escape(a), escape(b))).collect();
        let masked: String = rows.iter().map(|(a, b)| format!("{}\t{}\n", escape(a), escape(&declared(b)))).collect();
        prop_assert_eq!(run(&text_plan(&columns), &[text.as_bytes()]).unwrap().0, masked.into_bytes());
        let csv: String = rows.iter().map(|(a, b)| format!("{},{}\n", quote(a), quote(b))).collect();
        let masked: String = rows.iter().map(|(a, b)| format!("{},{}\n", quote(a), quote(&declared(b)))).collect();
        prop_assert_eq!(run(&csv_plan(&columns), &[csv.as_bytes()]).unwrap().0, masked.into_bytes());
    }
}
