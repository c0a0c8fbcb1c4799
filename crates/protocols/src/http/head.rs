//! The head of a request.

/// What HTTP/2 has in place of `Host`, as a field: some clients sign it under this name (RFC 9113 section 8.3.1).
pub const AUTHORITY: &str = ":authority";

/// The head of a request, as it came or as it will go.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Head {
    /// The method, upper-case.
    pub method: String,
    /// The path as it stands on the wire, still escaped. Begins with `/`.
    pub path: String,
    /// The query as it stands on the wire, without the question mark.
    pub query: Option<String>,
    /// The header fields.
    pub fields: Fields,
}

/// Header fields in their order. Names are lower-case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields(Vec<(String, String)>);

impl Fields {
    /// Adds a field after those that are there.
    pub fn push(&mut self, name: &str, value: impl Into<String>) {
        self.0.push((name.to_ascii_lowercase(), value.into()));
    }

    /// Sets a field, in place of all of that name.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.remove(name);
        self.push(name, value);
    }

    /// Takes away all fields of a name.
    pub fn remove(&mut self, name: &str) {
        self.0.retain(|(it, _)| !it.eq_ignore_ascii_case(name));
    }

    /// The value of a field that stands once; `None` where it is not there, or stands more than once and so means nothing
    /// certain.
    #[must_use]
    pub fn one(&self, name: &str) -> Option<&str> {
        let mut values = self.iter().filter(|(it, _)| *it == name);
        let (_, value) = values.next()?;
        values.next().is_none().then_some(value)
    }

    /// Whether there is such a field, however often.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.all(name).next().is_some()
    }

    /// The values of a field, in order. `name` is lower-case.
    pub fn all<'a, 'n>(&'a self, name: &'n str) -> impl Iterator<Item = &'a str> + use<'a, 'n> {
        self.0
            .iter()
            .filter(move |(it, _)| it == name)
            .map(|(_, value)| value.as_str())
    }

    /// Every field, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl<N: AsRef<str>, V: Into<String>> FromIterator<(N, V)> for Fields {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(fields: I) -> Self {
        let mut this = Self::default();
        for (name, value) in fields {
            this.push(name.as_ref(), value);
        }
        this
    }
}
