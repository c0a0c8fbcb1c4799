//! Rows and arrays as PostgreSQL writes them.

/// The fields of a row, each `None` for NULL; `None` for what is no row.
pub(crate) fn fields(row: &str) -> Option<Vec<Option<String>>> {
    let parts = parts(row.strip_prefix('(')?.strip_suffix(')')?);
    let field = |part: Part| (part.quoted || !part.text.is_empty()).then_some(part.text);
    Some(parts.into_iter().map(field).collect())
}

/// The elements of an array of one dimension but for NULLs; `None` for what is no array.
pub(crate) fn elements(array: &str) -> Option<Vec<String>> {
    let parts = parts(array.strip_prefix('{')?.strip_suffix('}')?);
    let parts = parts
        .into_iter()
        .filter(|part| part.quoted || !matches!(&*part.text, "" | "NULL"));
    Some(parts.map(|part| part.text).collect())
}

#[derive(Default)]
struct Part {
    text: String,
    quoted: bool,
}

/// What stands between commas. In rows a quote is doubled, in arrays it stands behind a backslash.
fn parts(inside: &str) -> Vec<Part> {
    let mut parts = vec![Part::default()];
    let mut open = false;
    let mut letters = inside.chars().peekable();
    while let Some(letter) = letters.next() {
        let last = parts.last_mut().unwrap();
        match letter {
            '"' if open && letters.next_if_eq(&'"').is_some() => last.text.push('"'),
            '"' => {
                open = !open;
                last.quoted = true;
            }
            '\\' => last.text.extend(letters.next()),
            ',' if !open => parts.push(Part::default()),
            letter => last.text.push(letter),
        }
    }
    parts
}
