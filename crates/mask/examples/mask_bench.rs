//! How fast the masker is on one core: JSON lines of MB/s and nanoseconds a value.
//!
//! `cargo run --release -p mask --example mask_bench [FOLDER]`; with a folder the texts are written into it, for others to
//! be measured with the same. `MASK_CASE=dense` measures the cases alone whose names hold that.

use std::sync::Arc;
use std::time::{Duration, Instant};

use mask::{
    ColumnPlan, CopyFormat, CopyMasker, CopyPlan, Findings, Hint, Masker, MaskerConfig, TextFormat,
};

/// So long each case is measured.
const TIME: Duration = Duration::from_millis(1500);

fn main() {
    let masker = Arc::new(Masker::new(MaskerConfig::default()));
    let folder = std::env::args().nth(1);
    for (name, make) in texts() {
        if !is_asked(name) {
            continue;
        }
        let text = make();
        if let Some(folder) = &folder {
            std::fs::write(std::path::Path::new(folder).join(name), &text)
                .expect("the folder can be written");
        }
        let bytes = text.len();
        let mut out = Vec::with_capacity(2 * bytes);
        let found = found(&masker, &text);
        report(name, bytes, 1, found, || {
            out.clear();
            let _ = masker.mask_text(
                Hint::NONE,
                text.as_bytes(),
                &mut out,
                &mut Findings::counting(),
            );
        });
    }
    for (name, cells) in cells() {
        let bytes = cells.iter().map(String::len).sum();
        let mut out = Vec::new();
        let mut findings = Findings::counting();
        report(name, bytes, cells.len(), 0, || {
            for cell in &cells {
                out.clear();
                let _ = masker.mask_text(Hint::NONE, cell.as_bytes(), &mut out, &mut findings);
            }
        });
    }
    for (name, cards) in [("copy_clean", false), ("copy_masked", true)] {
        copy(&masker, name, cards);
    }
}

fn copy(masker: &Arc<Masker>, name: &str, cards: bool) {
    let card = if cards { "4111111111111111" } else { "no card" };
    let rows: String = (0..20_000)
        .map(|row| {
            format!(
                "{row}\tAnn Example {row}\t{card}\t2024-01-15 10:23:45.123456+00\tpaid in full\n"
            )
        })
        .collect();
    let scan = || (String::from("c"), ColumnPlan::Scan(Hint::NONE));
    let plan = CopyPlan {
        format: CopyFormat::Text(TextFormat::default()),
        header: false,
        columns: vec![
            (String::from("id"), ColumnPlan::Clear),
            scan(),
            scan(),
            (String::from("t"), ColumnPlan::Clear),
            scan(),
        ],
    };
    let mut out = Vec::with_capacity(2 * rows.len());
    report(name, rows.len(), 20_000, 0, || {
        out.clear();
        let mut findings = Findings::counting();
        let mut copy = CopyMasker::new(Arc::clone(masker), plan.clone(), &mut findings);
        for piece in rows.as_bytes().chunks(8192) {
            copy.push(piece, &mut out, &mut findings).expect("rows fit");
        }
        copy.finish().expect("rows are whole");
    });
}

fn found(masker: &Masker, text: &str) -> u64 {
    let mut findings = Findings::counting();
    let _ = masker.mask_text(Hint::NONE, text.as_bytes(), &mut Vec::new(), &mut findings);
    findings.total()
}

const PROSE: &str =
    "The quick brown fox jumps over the lazy dog while nobody in the whole town looks. ";
const LOG: &str = "2024-01-15T10:23:45.123Z INFO worker-7 request 18c7f0a2b3 took 35 ms, 4096 bytes from 10.0.0.12:5432\n";
const FRENCH: &str =
    "Où sont passés les élèves du collège ? Déjà rentrés à la maison, près de la forêt. ";
const DENSE: &str =
    "4111-1111-1111-1111, john.doe@example.com, 123-45-6789; GB82 WEST 1234 5698 7654 32 | ";
const URL: &str = "GET /search?q=blue%20shoes%2C%20size%2042&page=3&ref=%2Fhome%2Fsale HTTP/1.1 200 from a&nbsp;client\n";

/// Makes a text.
type Make = fn() -> String;

fn texts() -> Vec<(&'static str, Make)> {
    vec![
        ("clean_prose", || PROSE.repeat(50_000)),
        ("clean_log", || LOG.repeat(40_000)),
        ("clean_non_ascii", || FRENCH.repeat(40_000)),
        ("sparse", || {
            format!("{}{DENSE}", PROSE.repeat(80)).repeat(600)
        }),
        ("dense", || DENSE.repeat(40_000)),
        ("clean_hashes", || digests(60_000)),
        ("clean_url", || URL.repeat(30_000)),
        ("base64_picture", || {
            base64(3_000_000, |random| random >> 32)
        }),
        ("base64_text", || {
            base64(3_000_000, |random| 97 + (random >> 32) % 25)
        }),
        ("digits", || "1234567890".repeat(300_000)),
    ]
}

/// Numbers that only look random.
fn random() -> impl Iterator<Item = u64> {
    std::iter::successors(Some(1_u64), |last| {
        Some(
            last.wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407),
        )
    })
}

/// Lines with digests and identifiers.
fn digests(lines: usize) -> String {
    let line = |it: u64| {
        let (high, low) = (it | 1 << 63, it.rotate_left(17) | 1 << 63);
        format!(
            "object {high:016x}{low:016x} of {:08x}-{:04x}-4abc-8def-00{:010x}\n",
            high >> 32,
            low >> 48,
            low >> 24
        )
    };
    random().skip(1).take(lines).map(line).collect()
}

/// Bytes in base64, without a line's end.
fn base64(len: usize, byte: impl Fn(u64) -> u64) -> String {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bytes: Vec<u64> = random().map(|it| byte(it) & 0xFF).take(len).collect();
    let group = |three: &[u64]| {
        let all = three.iter().fold(0, |all, byte| all << 8 | byte);
        [18, 12, 6, 0].map(|shift| ALPHABET.chars().nth((all >> shift & 63) as usize))
    };
    bytes.chunks_exact(3).flat_map(group).flatten().collect()
}

fn cells() -> Vec<(&'static str, Vec<String>)> {
    let many = |make: &dyn Fn(u64) -> String| (0..10_000_u64).map(make).collect::<Vec<_>>();
    vec![
        ("cell_word", many(&|n| format!("word{}", n % 1000))),
        (
            "cell_name",
            many(&|n| format!("Ann Example, Sample Street no {}", n % 100)),
        ),
        ("cell_accent", many(&|n| format!("Jörg Müller {}", n % 100))),
        ("cell_int", many(&|n| (n * 7919).to_string())),
        (
            "cell_bigint",
            many(&|n| (n * 1_000_003 + 1_700_000_000_000).to_string()),
        ),
        (
            "cell_timestamp",
            many(&|n| format!("2024-01-15 10:{:02}:{:02}.123456+00", n / 60 % 60, n % 60)),
        ),
        (
            "cell_uuid",
            many(&|n| format!("{:08x}-1234-4abc-8def-{:012x}", n * 40_503, n * 1_000_003)),
        ),
        ("cell_float", many(&|n| format!("{}", (n as f64).sqrt()))),
        ("cell_card", many(&|_| String::from("4111111111111111"))),
        ("cell_email", many(&|n| format!("user{n}@example.com"))),
    ]
}

/// Whether `MASK_CASE` leaves a case out.
fn is_asked(name: &str) -> bool {
    let only = std::env::var("MASK_CASE").unwrap_or_default();
    name.contains(&only)
}

/// Runs for a while and prints the quickest, which other load disturbs least.
#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
fn report(name: &str, bytes: usize, values: usize, found: u64, mut run: impl FnMut()) {
    if !is_asked(name) {
        return;
    }
    let mut best = f64::INFINITY;
    let began = Instant::now();
    while began.elapsed() < TIME {
        let start = Instant::now();
        run();
        best = best.min(start.elapsed().as_secs_f64());
    }
    let mb_per_s = bytes as f64 / best / 1e6;
    let ns_per_value = best * 1e9 / values as f64;
    println!(
        "{{\"bench\":\"mask\",\"case\":\"{name}\",\"mb_per_s\":{mb_per_s:.0},\"ns_per_value\":{ns_per_value:.1},\
         \"values\":{values},\"bytes\":{bytes},\"found\":{found}}}"
    );
}
