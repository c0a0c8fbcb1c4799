//! JSON of which some places are declared, in its own types or in text.

use std::borrow::Cow;

use mask::{Findings, Outcome};
use model::DataClass;
use sql::postgres::{Document, Place};

use super::cell::{Cells, Look, Rule, mask};
use super::json::{Tokens, hide, is_json, is_name, says_nothing, searched};
use super::json_path::Path;

/// A value of which `document` says where it holds what. What stands at those places is masked as declared values are, whatever is
/// below them included; the rest is searched, as other JSON is. Where a place would lie within a string, a number or a truth value, that is
/// hidden: it may be JSON written as text, whole or broken. So is a text that is no JSON.
pub(super) fn document(
    cells: &Cells,
    document: &Document,
    look: Look<'_>,
    value: &[u8],
    out: &mut Vec<u8>,
    findings: &mut Findings,
) -> Outcome {
    if !is_json(value) {
        let classes = document.columns().classes();
        let rule = match hidden(cells, classes.iter()) {
            Some(class) => Rule::Declared(class.clone()),
            None => Rule::Scan,
        };
        let rule = &rule;
        return mask(
            &cells.masks().text,
            Look { rule, ..look },
            value,
            out,
            findings,
        );
    }
    let mut walk = Walk::new(document);
    let mut text = Vec::with_capacity(value.len());
    let mut all = Outcome::Clean;
    let mut path = Path::default();
    for (token, after) in Tokens(value) {
        let is_name = is_name(token, after);
        let within = walk.within.as_ref();
        let shown = within.is_none_or(|(class, _)| says_nothing(class, token));
        path.read(token, is_name, shown);
        walk.enter(cells, token, is_name);
        let Some((class, _)) = &walk.within else {
            text.extend_from_slice(token);
            continue;
        };
        let rule = &Rule::Declared(class.clone());
        let look = Look { rule, ..look };
        match hide(
            cells, class, look, token, is_name, &path, &mut text, findings,
        ) {
            Outcome::Withheld => return Outcome::Withheld,
            Outcome::Clean => {}
            _ => all = Outcome::Masked,
        }
        walk.leave(token);
    }
    let rule = &Rule::Scan;
    match searched(cells, Look { rule, ..look }, &text, out, findings) {
        Outcome::Clean if all == Outcome::Masked => {
            out.extend_from_slice(&text);
            all
        }
        outcome => outcome,
    }
}

/// Where one is in a document.
pub(super) struct Walk<'a> {
    document: &'a Document,
    /// The places of the objects and arrays around.
    around: Vec<Place>,
    /// The place of the value that comes next.
    next: Place,
    /// The class of the declared value that this stands in, and how much stands around that.
    within: Option<(DataClass, usize)>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(document: &'a Document) -> Self {
        Self {
            document,
            around: Vec::new(),
            next: document.root(),
            within: None,
        }
    }

    /// The class of the declared value that this stands in.
    pub(super) fn class(&self) -> Option<&DataClass> {
        self.within.as_ref().map(|(class, _)| class)
    }

    pub(super) fn enter(&mut self, cells: &Cells, token: &[u8], is_name: bool) {
        let around = self.around.last().copied();
        let around = around.unwrap_or_else(|| self.document.root());
        if is_name {
            // A name that is no text (half of a character) is not that of a place.
            let name = serde_json::from_slice::<Cow<'_, str>>(token).unwrap_or_default();
            self.next = self.document.member(around, &name);
            return;
        }
        match token.first() {
            Some(b'}' | b']') => drop(self.around.pop()),
            // Items of an array stand where it does.
            Some(b',') => self.next = around,
            None | Some(b':' | b' ' | b'\t' | b'\n' | b'\r') => {}
            Some(first) => {
                if self.within.is_none() {
                    self.within = self
                        .declared(cells, token)
                        .map(|it| (it, self.around.len()));
                }
                if matches!(first, b'{' | b'[') {
                    self.around.push(self.next);
                }
            }
        }
    }

    /// The class as which the value that begins with a token is to be hidden.
    fn declared(&self, cells: &Cells, token: &[u8]) -> Option<DataClass> {
        let mut held = self.document.held(self.next).peekable();
        let class = if held.peek().is_some() {
            first(cells, held)
        } else if self.next.leads_somewhere() && is_scalar(token) {
            first(cells, self.document.below(self.next))
        } else {
            None
        };
        class.cloned()
    }

    pub(super) fn leave(&mut self, token: &[u8]) {
        let ends = !matches!(token, [b'{' | b'[' | b':'] | [b' ' | b'\t' | b'\n' | b'\r']);
        let outside = self.within.as_ref().map(|(_, outside)| *outside);
        if outside.is_some_and(|outside| ends && self.around.len() <= outside) {
            self.within = None;
        }
    }
}

/// Of the classes of one value, one that is not revealed, where there is one.
fn first<'a>(cells: &Cells, classes: impl Iterator<Item = &'a DataClass>) -> Option<&'a DataClass> {
    let mut classes = classes.peekable();
    let any = classes.peek().copied();
    hidden(cells, classes).or(any)
}

fn hidden<'a>(
    cells: &Cells,
    mut classes: impl Iterator<Item = &'a DataClass>,
) -> Option<&'a DataClass> {
    classes.find(|class| cells.masks().text.masks(class))
}

/// Whether a token is a string, a number or a truth value.
fn is_scalar(token: &[u8]) -> bool {
    !matches!(token.first(), Some(b'{' | b'[' | b'n'))
}
