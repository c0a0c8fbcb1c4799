//! The forms of tokens, as the providers publish them.

use super::Kind;

/// One form: a mark, and what stands behind it.
pub(super) struct Form {
    pub(super) mark: &'static str,
    /// The first four characters of the mark, and which of them it has.
    pub(super) head: (u32, u32),
    pub(super) parts: &'static [Part],
    pub(super) kind: Kind,
    /// The mark only says that a token follows.
    pub(super) announced: bool,
    /// The mark is a word of many others, and is none of a name's parts.
    pub(super) alone: bool,
}

/// A part of a token.
pub(super) enum Part {
    /// These characters.
    Is(&'static str),
    /// At least and at most so many characters of a sort in a row.
    Run(Sort, usize, usize),
}

type Sort = fn(u8) -> bool;

/// So many characters of a token that has no longest length are hidden.
pub(super) const OPEN: usize = 340;

use Part::{Is, Run};

fn digit(byte: u8) -> bool {
    byte.is_ascii_digit()
}

fn hex(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

fn capital(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit()
}

fn letter(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}

/// As in base64 for URLs.
fn word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

fn base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/')
}

fn padded(byte: u8) -> bool {
    base64(byte) || word(byte) || byte == b'='
}

/// Folders and names of a URL.
fn path(byte: u8) -> bool {
    word(byte) || matches!(byte, b'/' | b'@')
}

#[expect(clippy::indexing_slicing, reason = "worked out when this is compiled")]
const fn head(mark: &[u8]) -> (u32, u32) {
    let (mut bytes, mut which) = ([0; 4], [0; 4]);
    let mut place = 0;
    while place < mark.len() && place < 4 {
        (bytes[place], which[place]) = (mark[place], 0xFF);
        place += 1;
    }
    (u32::from_le_bytes(bytes), u32::from_le_bytes(which))
}

const fn form(mark: &'static str, parts: &'static [Part]) -> Form {
    Form {
        mark,
        head: head(mark.as_bytes()),
        parts,
        kind: Kind::Token,
        announced: false,
        alone: false,
    }
}

const fn announced(mark: &'static str, parts: &'static [Part]) -> Form {
    Form {
        announced: true,
        ..form(mark, parts)
    }
}

const fn alone(mark: &'static str, parts: &'static [Part]) -> Form {
    Form {
        alone: true,
        ..form(mark, parts)
    }
}

const fn of(kind: Kind, mark: &'static str, parts: &'static [Part]) -> Form {
    Form {
        kind,
        ..form(mark, parts)
    }
}

/// The forms with a mark, by its first character. Each has a row of letters, digits and signs of base64 that is
/// [`crate::encoded::ROW_CHARS_MIN`] long, its mark included.
pub(super) const FORMS: &[Form] = &[
    // Google: refresh tokens, access tokens and others at their letters.
    form("1//0", &[Run(word, 40, OPEN)]),
    of(
        Kind::PrivateKey,
        "AGE-SECRET-KEY-1",
        &[Run(capital, 58, 58)],
    ),
    of(Kind::AwsId, "AKIA", &[Run(capital, 16, 16)]),
    of(Kind::AwsId, "ASIA", &[Run(capital, 16, 16)]),
    form("AIza", &[Run(word, 35, 35)]),
    // JFrog.
    form("AKCp", &[Run(letter, 69, 69)]),
    // Atlassian, and Bitbucket.
    form("ATATT3", &[Run(padded, 100, OPEN)]),
    form("ATCTT3", &[Run(padded, 100, OPEN)]),
    form("ATBB", &[Run(letter, 32, 32)]),
    // Twilio.
    alone("AC", &[Run(hex, 32, 32)]),
    // Azure Storage.
    announced("AccountKey=", &[Run(base64, 86, 86), Is("==")]),
    // Contentful.
    form("CFPAT-", &[Run(word, 43, 43)]),
    // Square.
    form("EAAA", &[Run(word, 60, 60)]),
    form("GOCSPX-", &[Run(word, 28, 28)]),
    // Heroku.
    form("HRKU-AA", &[Run(word, 58, 58)]),
    // New Relic.
    form("NRAA-", &[Run(hex, 27, 27)]),
    form("NRAK-", &[Run(capital, 27, 27)]),
    form("NRII-", &[Run(word, 32, 32)]),
    // Postman.
    form("PMAK-", &[Run(hex, 24, 24), Is("-"), Run(hex, 34, 34)]),
    // SendGrid.
    form("SG.", &[Run(word, 22, 22), Is("."), Run(word, 43, 43)]),
    alone("SK", &[Run(hex, 32, 32)]),
    // Azure Service Bus, Event Hubs and IoT Hub.
    announced("SharedAccessKey=", &[Run(base64, 43, 43), Is("=")]),
    // Databricks.
    form("dapi", &[Run(letter, 32, 32)]),
    // Docker.
    form("dckr_oat_", &[Run(word, 27, 40)]),
    form("dckr_pat_", &[Run(word, 27, 27)]),
    form(
        "discord.com/api/webhooks/",
        &[Run(digit, 17, 20), Is("/"), Run(word, 60, 80)],
    ),
    form(
        "discordapp.com/api/webhooks/",
        &[Run(digit, 17, 20), Is("/"), Run(word, 60, 80)],
    ),
    // DigitalOcean.
    form("doo_v1_", &[Run(hex, 64, 64)]),
    form("dop_v1_", &[Run(hex, 64, 64)]),
    form("dor_v1_", &[Run(hex, 64, 64)]),
    // Doppler.
    form("dp.ct.", &[Run(letter, 40, 44)]),
    form("dp.pt.", &[Run(letter, 40, 44)]),
    form("dp.sa.", &[Run(letter, 40, 44)]),
    form("dp.st.", &[Run(letter, 40, 44)]),
    form("dp.st.", &[Run(word, 2, 20), Is("."), Run(letter, 40, 44)]),
    // Figma.
    form("figd_", &[Run(word, 40, OPEN)]),
    form("ghp_", &[Run(letter, 36, OPEN)]),
    form("gho_", &[Run(letter, 36, OPEN)]),
    form("ghu_", &[Run(letter, 36, OPEN)]),
    form("ghs_", &[Run(letter, 36, OPEN)]),
    form("ghr_", &[Run(letter, 36, OPEN)]),
    form("github_pat_", &[Run(word, 22, OPEN)]),
    // GitLab: https://docs.gitlab.com/security/tokens/#token-prefixes.
    form("glagent-", &[Run(word, 20, OPEN)]),
    form("glcbt-", &[Run(word, 20, OPEN)]),
    form("gldt-", &[Run(word, 20, OPEN)]),
    form("glffct-", &[Run(word, 20, OPEN)]),
    form("glft-", &[Run(word, 20, OPEN)]),
    form("glimt-", &[Run(word, 20, OPEN)]),
    form("gloas-", &[Run(word, 20, OPEN)]),
    form("glpat-", &[Run(word, 20, OPEN)]),
    form("glptt-", &[Run(word, 20, OPEN)]),
    form("glrt-", &[Run(word, 20, OPEN)]),
    form("glrtr-", &[Run(word, 20, OPEN)]),
    form("glsoat-", &[Run(word, 20, OPEN)]),
    // Grafana.
    form("glc_", &[Run(padded, 32, OPEN)]),
    form("glsa_", &[Run(letter, 32, 32), Is("_"), Run(hex, 8, 8)]),
    // Groq.
    form("gsk_", &[Run(letter, 52, 52)]),
    // Hugging Face.
    form("hf_", &[Run(letter, 34, 34)]),
    // Slack's webhooks.
    form("hooks.slack.com/services/", &[Run(path, 40, OPEN)]),
    form("hooks.slack.com/triggers/", &[Run(path, 40, OPEN)]),
    form("hooks.slack.com/workflows/", &[Run(path, 40, OPEN)]),
    // Vault.
    form("hvb.", &[Run(word, 24, OPEN)]),
    form("hvr.", &[Run(word, 24, OPEN)]),
    form("hvs.", &[Run(word, 24, OPEN)]),
    // Mailgun.
    alone("key-", &[Run(hex, 32, 32)]),
    // Linear.
    form("lin_api_", &[Run(letter, 40, 40)]),
    form("lin_oauth_", &[Run(letter, 64, 64)]),
    form("npm_", &[Run(letter, 36, 36)]),
    // Notion.
    form("ntn_", &[Run(letter, 46, 46)]),
    // Perplexity.
    form("pplx-", &[Run(letter, 48, 56)]),
    // PlanetScale.
    form("pscale_oauth_", &[Run(word, 32, 64)]),
    form("pscale_pw_", &[Run(word, 32, 64)]),
    form("pscale_tkn_", &[Run(word, 32, 64)]),
    // Pulumi.
    alone("pul-", &[Run(hex, 40, 40)]),
    form("pypi-AgEI", &[Run(word, 50, OPEN)]),
    // Replicate.
    form("r8_", &[Run(letter, 37, 37)]),
    form("rk_live_", &[Run(letter, 16, OPEN)]),
    form("rk_test_", &[Run(letter, 16, OPEN)]),
    form("rubygems_", &[Run(hex, 48, 48)]),
    // Supabase.
    form("sb_secret_", &[Run(word, 22, OPEN)]),
    form("sbp_", &[Run(hex, 40, 40)]),
    // Notion, before it had a mark of its own.
    form("secret_", &[Run(letter, 43, 43)]),
    // Shippo.
    form("shippo_live_", &[Run(hex, 40, 40)]),
    form("shippo_test_", &[Run(hex, 40, 40)]),
    // Shopify.
    form("shpat_", &[Run(letter, 32, 32)]),
    form("shpca_", &[Run(letter, 32, 32)]),
    form("shppa_", &[Run(letter, 32, 32)]),
    form("shpss_", &[Run(letter, 32, 32)]),
    // Anthropic, OpenAI, OpenRouter.
    form("sk-admin-", &[Run(word, 32, OPEN)]),
    form("sk-ant-", &[Run(word, 32, OPEN)]),
    form("sk-or-v1-", &[Run(hex, 64, 64)]),
    form("sk-proj-", &[Run(word, 32, OPEN)]),
    form("sk-svcacct-", &[Run(word, 32, OPEN)]),
    form("sk-", &[Run(letter, 48, 48)]),
    // Stripe.
    form("sk_live_", &[Run(letter, 16, OPEN)]),
    form("sk_test_", &[Run(letter, 16, OPEN)]),
    // Azure, shared access signatures.
    announced("sig=", &[Run(base64, 43, 43), Is("=")]),
    // Sentry.
    form("sntrys_", &[Run(padded, 64, OPEN)]),
    form("sntryu_", &[Run(hex, 64, 64)]),
    form("sq0atp-", &[Run(word, 22, 22)]),
    form("sq0csp-", &[Run(word, 43, 43)]),
    // SonarQube.
    alone("sqa_", &[Run(hex, 40, 40)]),
    alone("sqp_", &[Run(hex, 40, 40)]),
    alone("squ_", &[Run(hex, 40, 40)]),
    // Cloudflare's keys of origin certificates.
    form("v1.0-", &[Run(hex, 24, 24), Is("-"), Run(hex, 146, 146)]),
    // Microsoft Teams.
    form("webhook.office.com/webhookb2/", &[Run(path, 60, OPEN)]),
    form("whsec_", &[Run(padded, 24, OPEN)]),
    // xAI.
    form("xai-", &[Run(letter, 80, 80)]),
    // Slack.
    form("xapp-", &[Run(word, 10, OPEN)]),
    form("xoxa-", &[Run(word, 10, OPEN)]),
    form("xoxb-", &[Run(word, 10, OPEN)]),
    form("xoxc-", &[Run(word, 10, OPEN)]),
    form("xoxd-", &[Run(word, 10, OPEN)]),
    form("xoxe-", &[Run(word, 10, OPEN)]),
    form("xoxp-", &[Run(word, 10, OPEN)]),
    form("xoxr-", &[Run(word, 10, OPEN)]),
    form("xoxs-", &[Run(word, 10, OPEN)]),
    form("ya29.", &[Run(word, 30, OPEN)]),
];

/// Those whose mark stands within them.
pub(super) const UNMARKED: &[Form] = &[
    // Telegram.
    form("", &[Run(digit, 8, 10), Is(":AA"), Run(word, 33, 33)]),
    // Terraform Cloud.
    form(
        "",
        &[Run(letter, 14, 14), Is(".atlasv1."), Run(word, 60, 70)],
    ),
    // New Relic.
    form("", &[Run(hex, 36, 36), Is("NRAL")]),
];

/// The one of them that may begin with so many letters and digits, as the character tells that stands where its first run ends.
#[inline(always)]
pub(super) fn unmarked(letters: usize, at: impl Fn(usize) -> u8) -> Option<&'static Form> {
    let (place, next, form) = match letters {
        8..=10 => (letters, b':', 0),
        14 => (14, b'.', 1),
        40.. => (36, b'N', 2),
        _ => return None,
    };
    UNMARKED.get(form).filter(|_| at(place) == next)
}

/// The characters that marks have second, a bit for each, by their first.
const SECONDS: [[u64; 2]; 128] = seconds();

#[expect(clippy::indexing_slicing, reason = "worked out when this is compiled")]
const fn seconds() -> [[u64; 2]; 128] {
    let mut seconds = [[0; 2]; 128];
    let mut place = 0;
    while place < FORMS.len() {
        let mark = FORMS[place].mark.as_bytes();
        seconds[mark[0] as usize][(mark[1] >> 6) as usize] |= 1 << (mark[1] & 63);
        place += 1;
    }
    seconds
}

/// Whether a mark begins with two characters.
#[inline(always)]
pub(super) fn is_begun(first: u8, second: u8) -> bool {
    let seconds = SECONDS.get(usize::from(first));
    let seconds = seconds.and_then(|seconds| seconds.get(usize::from(second >> 6)));
    seconds.copied().unwrap_or_default() >> (second & 63) & 1 != 0
}

/// Where the forms with each first character stand in [`FORMS`].
pub(super) const RANGES: [(u8, u8); 128] = ranges();

#[expect(clippy::indexing_slicing, reason = "worked out when this is compiled")]
#[expect(
    clippy::cast_possible_truncation,
    reason = "checked when this is compiled"
)]
const fn ranges() -> [(u8, u8); 128] {
    assert!(FORMS.len() <= u8::MAX as usize);
    let mut ranges = [(0, 0); 128];
    let mut place = 0;
    while place < FORMS.len() {
        let first = FORMS[place].mark.as_bytes()[0] as usize;
        assert!(
            ranges[first].1 == 0 || ranges[first].1 as usize == place,
            "marks that begin alike stand together"
        );
        if ranges[first].1 == 0 {
            ranges[first].0 = place as u8;
        }
        place += 1;
        ranges[first].1 = place as u8;
    }
    ranges
}
