//! What declarations mean, and what is done about those that mean nothing.

use model::DataClass;

use super::bank::letters;
use super::{on_big_stack, one};
use crate::postgres::{
    Catalog, Column, Declaration, FieldOrigin, Meant, Protected, Relation, RelationKind, resolve,
};

/// A catalog with one table, whose columns are `number:name:type:modifier`.
fn catalog(table: &str, columns: &[&str]) -> Catalog {
    let mut builder = Catalog::builder();
    let column = |text: &&str| {
        let parts: Vec<&str> = text.split(':').collect();
        Column {
            number: parts[0].parse().unwrap(),
            name: parts[1].into(),
            type_oid: parts[2].parse().unwrap(),
            modifier: parts[3].parse().unwrap(),
            generated: false,
        }
    };
    builder.add(Relation {
        oid: 500,
        schema: "public".into(),
        name: table.into(),
        kind: RelationKind::Table,
        columns: columns.iter().map(column).collect(),
        definition: None,
        toast: 0,
    });
    builder.build()
}

fn declaration(column: &str) -> Declaration {
    Declaration {
        schema: "public".into(),
        table: "vault".into(),
        column: column.into(),
        class: DataClass::US_SSN,
        path: None,
    }
}

fn compiled(catalog: &Catalog, columns: &[&str], before: &Meant) -> Protected {
    let declared: Vec<Declaration> = columns.iter().map(|column| declaration(column)).collect();
    Protected::compile_again(&declared, &[], catalog, before)
}

/// The rules of a query's output columns.
fn rules(sql: &str, count: usize, catalog: &Catalog, protected: &Protected) -> String {
    let none = FieldOrigin {
        table_oid: 0,
        column: 0,
    };
    let resolved = resolve(&one(sql), catalog, protected);
    letters(&resolved.rules(&vec![none; count], catalog, protected))
}

#[test]
fn a_column_that_was_renamed_stays_what_it_was_declared_to_be() {
    on_big_stack(|| {
        let before = catalog("vault", &["1:id:23:-1", "2:s:25:-1"]);
        let protected = compiled(&before, &["s"], &Meant::default());
        assert_eq!(
            rules("SELECT id, s FROM vault", 2, &before, &protected),
            ".s"
        );
        let after = catalog("vault", &["1:id:23:-1", "2:s9:25:-1"]);
        let protected = compiled(&after, &["s"], protected.meant());
        assert!(protected.missing.is_empty());
        assert_eq!(
            rules("SELECT id, s9 FROM vault", 2, &after, &protected),
            ".s"
        );
        // Another column by the name that it had makes it no other.
        let both = catalog("vault", &["1:id:23:-1", "2:s9:25:-1", "3:s:25:-1"]);
        let declared = compiled(&both, &["s"], protected.meant());
        assert_eq!(
            rules("SELECT id, s9, s FROM vault", 3, &both, &declared),
            ".ss"
        );
        // Nor does a transaction that is undone.
        let gone = catalog("vault", &["1:id:23:-1"]);
        let declared = compiled(&gone, &["s"], declared.meant());
        let declared = compiled(&after, &["s"], declared.meant());
        assert_eq!(
            rules("SELECT id, s9 FROM vault", 2, &after, &declared),
            ".s"
        );
        // The table too, and once more.
        let after = catalog("other", &["1:id:23:-1", "2:s10:25:-1"]);
        let protected = compiled(&after, &["s"], protected.meant());
        assert_eq!(
            rules("SELECT id, s10 FROM other", 2, &after, &protected),
            ".s"
        );
    });
}

#[test]
fn a_table_without_its_declared_column_is_held_back() {
    on_big_stack(|| {
        let catalog = catalog("vault", &["1:id:23:-1", "2:ssn:25:-1", "3:t:25:-1"]);
        let protected = compiled(&catalog, &["sssn", "t"], &Meant::default());
        assert_eq!(protected.missing, [declaration("sssn")]);
        let sql = "SELECT id, ssn, t, length(ssn) FROM vault";
        assert_eq!(rules(sql, 4, &catalog, &protected), "??s?");
        let dropped = compiled(&catalog, &["t"], &Meant::default());
        assert_eq!(
            rules("SELECT id, t FROM vault", 2, &catalog, &dropped),
            ".s"
        );
    });
}

#[test]
fn a_value_that_is_made_less_on_its_way_is_a_copy() {
    // varchar(11), text, varchar(1), "char", numeric(10,2), numeric(10,-4).
    const COLUMNS: &[&str] = &[
        "1:id:23:-1",
        "2:s:1043:15",
        "3:wide:25:-1",
        "4:narrow:1043:5",
        "5:c:18:-1",
        "6:n:1700:655366",
        "7:low:1700:657408",
        "8:same:1043:15",
    ];
    on_big_stack(|| {
        let catalog = catalog("vault", COLUMNS);
        let names = ["s", "wide", "narrow", "c", "n", "low", "same"];
        let protected = compiled(&catalog, &names, &Meant::default());
        for (to, from, copies) in [
            ("wide", "s", false),
            ("same", "s", false),
            ("s", "s", false),
            ("s", "coalesce($1, s)", false),
            ("narrow", "s", true),
            ("s", "wide", true),
            ("c", "s", true),
            ("low", "n", true),
        ] {
            let sql = format!("UPDATE vault SET {to} = {from} WHERE id = 1");
            let resolved = resolve(&one(&sql), &catalog, &protected);
            assert_eq!(resolved.copies_protected, copies, "{sql}");
            let sql = format!("INSERT INTO vault ({to}) SELECT {from} FROM vault");
            let resolved = resolve(&one(&sql), &catalog, &protected);
            assert_eq!(resolved.copies_protected, copies, "{sql}");
        }
    });
}
