//! An upper bound on how deep a parse tree can be, from its tokens, before there is a tree.
//!
//! The tree is decoded, walked and dropped by recursion, and a stack overflow aborts the process. The bound counts, per
//! bracket, the tokens that can wrap one expression in another. A comma, `AND` or `OR` starts a new expression (chains
//! of `AND` and `OR` are flat in the tree); what holds queries together (`UNION`, `JOIN`, …) counts through to the end
//! of the bracket, and `;` ends a statement. Anything not known to be harmless counts.

use pg_query::protobuf::{KeywordKind, ScanToken, Token};

use super::{MAX_NESTING, ParseError};

/// Refuses text whose parse tree could be deeper than [`MAX_NESTING`].
pub(super) fn check(text: &str) -> Result<(), ParseError> {
    // A token takes a byte, so a short text cannot nest deeply: most statements end here.
    if text.len() <= MAX_NESTING {
        return Ok(());
    }
    let scanned = pg_query::scan(text).map_err(ParseError::from_scan)?;
    let bound = bound(&scanned.tokens);
    if bound > MAX_NESTING {
        return Err(ParseError::TooDeep { bound });
    }
    Ok(())
}

/// The upper bound of [`check`].
pub(super) fn bound(tokens: &[ScanToken]) -> usize {
    let mut count = Counter::default();
    for token in tokens {
        count.token(token);
    }
    count.finish()
}

#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum Opened {
    #[default]
    Statement,
    Bracket,
    Case,
}

#[derive(Default)]
struct Group {
    opened: Opened,
    /// Tokens that hold queries together, to the end of the group.
    structure: usize,
    /// Tokens that wrap expressions, since the last separator.
    expression: usize,
    /// The deepest group closed since the last separator.
    inner: usize,
    /// The deepest finished expression.
    deepest: usize,
    /// `BETWEEN`s whose `AND` has not come.
    between: usize,
}

impl Group {
    fn separate(&mut self) {
        self.deepest = self.deepest.max(self.expression + self.inner);
        self.expression = 0;
        self.inner = 0;
        self.between = 0;
    }

    fn depth(mut self) -> usize {
        self.separate();
        self.structure + self.deepest + 1
    }
}

#[derive(Default)]
struct Counter {
    outer: Vec<Group>,
    group: Group,
    /// Bodies opened by `BEGIN ATOMIC`, whose statements end with `;` inside a statement.
    bodies: usize,
    deepest: usize,
    after_dot: bool,
}

impl Counter {
    fn token(&mut self, token: &ScanToken) {
        let kind = Token::try_from(token.token).unwrap_or(Token::Nul);
        if matches!(kind, Token::SqlComment | Token::CComment) {
            return;
        }
        // After a dot or AS any keyword is a name.
        let is_name = std::mem::replace(
            &mut self.after_dot,
            matches!(kind, Token::Ascii46 | Token::As),
        );
        if is_name && token.keyword_kind != KeywordKind::NoKeyword as i32 {
            return;
        }
        match kind {
            Token::Ascii40 | Token::Ascii91 => self.open(Opened::Bracket),
            Token::Ascii41 | Token::Ascii93 => self.close_bracket(),
            Token::Case => self.open(Opened::Case),
            Token::EndP if self.group.opened == Opened::Case => self.close(),
            Token::When | Token::Then | Token::Else if self.group.opened == Opened::Case => {
                self.group.separate()
            }
            Token::Ascii44 | Token::Or => self.group.separate(),
            Token::And if self.group.between == 0 => self.group.separate(),
            Token::And => {
                self.group.between -= 1;
                self.group.expression += 1;
            }
            Token::Between => {
                self.group.between += 1;
                self.group.expression += 1;
            }
            Token::Ascii59 if self.outer.is_empty() => self.end_statement(),
            Token::Ascii59 => self.group.separate(),
            Token::Atomic => self.bodies += 1,
            kind if is_structure(kind) => self.group.structure += 1,
            kind if is_flat(kind) => {}
            _ => self.group.expression += 1,
        }
    }

    fn open(&mut self, opened: Opened) {
        let group = std::mem::replace(
            &mut self.group,
            Group {
                opened,
                ..Group::default()
            },
        );
        self.outer.push(group);
    }

    fn close(&mut self) {
        if let Some(outer) = self.outer.pop() {
            let depth = std::mem::replace(&mut self.group, outer).depth();
            self.group.inner = self.group.inner.max(depth);
        }
    }

    fn close_bracket(&mut self) {
        while self.group.opened == Opened::Case {
            self.close();
        }
        self.close();
    }

    fn end_statement(&mut self) {
        let depth = std::mem::take(&mut self.group).depth();
        self.deepest = self.deepest.max(depth);
    }

    fn finish(mut self) -> usize {
        while !self.outer.is_empty() {
            self.close();
        }
        self.end_statement();
        self.deepest + self.bodies
    }
}

/// Holds queries and joins together across commas and `AND`.
fn is_structure(token: Token) -> bool {
    matches!(
        token,
        Token::Select
            | Token::Union
            | Token::Intersect
            | Token::Except
            | Token::Join
            | Token::Values
            | Token::Table
            | Token::With
            | Token::Insert
            | Token::Update
            | Token::DeleteP
            | Token::Merge
            | Token::Explain
            | Token::Create
    )
}

/// Wraps nothing: names, constants, and the words between clauses.
fn is_flat(token: Token) -> bool {
    matches!(
        token,
        Token::Ident
            | Token::Uident
            | Token::Fconst
            | Token::Sconst
            | Token::Usconst
            | Token::Bconst
            | Token::Xconst
            | Token::Iconst
            | Token::Param
            | Token::Ascii46
            | Token::Ascii58
            | Token::DotDot
            | Token::ColonEquals
            | Token::EqualsGreater
            | Token::NullP
            | Token::TrueP
            | Token::FalseP
            | Token::Default
            | Token::As
            | Token::From
            | Token::On
            | Token::Where
            | Token::Left
            | Token::Right
            | Token::InnerP
            | Token::OuterP
            | Token::Full
            | Token::Cross
            | Token::All
            | Token::Asc
            | Token::Desc
            | Token::Into
    )
}
